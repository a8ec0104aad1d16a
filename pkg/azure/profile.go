package azure

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
)

// An account is a subscription that az knows.
type account struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	State       string `json:"state"`
	Default     bool   `json:"isDefault"`
	Environment string `json:"environmentName"`
	Tenant      string `json:"tenantId"`
}

// A profile is az's list of subscriptions. It holds no credentials.
type profile struct {
	Subscriptions []account `json:"subscriptions"`
}

// readProfile reads az's list; an empty one if there is none. az itself is not needed.
func readProfile(ctx context.Context) profile {
	folder := os.Getenv("AZURE_CONFIG_DIR")
	if home, err := os.UserHomeDir(); folder == "" && err == nil {
		folder = filepath.Join(home, ".azure")
	}
	var p profile
	content, err := bounded.File(ctx, filepath.Join(folder, "azureProfile.json"), bounded.Config)
	if err == nil {
		_ = json.Unmarshal(bytes.TrimPrefix(content, []byte("\ufeff")), &p) // az writes a byte order mark
	}
	return p
}

// choose returns the subscription with an ID or a name, or the default one.
func (p profile) choose(wanted string) account {
	for _, a := range p.Subscriptions {
		if wanted == "" && a.Default || wanted != "" && (strings.EqualFold(a.ID, wanted) || strings.EqualFold(a.Name, wanted)) {
			return a
		}
	}
	return account{}
}
