package azure

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
)

const (
	rolePage  = "../../docs/azure-role.json"
	callsPage = "../../docs/azure.md"
	callsHead = "<!-- calls: generated from pkg/azure/calls.go -->\n"
)

// TestTheLeastRoleIsDerivedFromTheCalls writes the role and the table of calls from the list that the tests' server holds every
// request to.
func TestTheLeastRoleIsDerivedFromTheCalls(t *testing.T) {
	role, err := json.MarshalIndent(LeastRole(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, rolePage, string(role)+"\n")
	content, err := os.ReadFile(callsPage)
	if err != nil {
		t.Fatal(err)
	}
	before, _, found := strings.Cut(string(content), callsHead)
	if !found {
		t.Fatalf("%s has no table of calls", callsPage)
	}
	var table strings.Builder
	table.WriteString(before + callsHead + "| call | permission | why |\n|---|---|---|\n")
	for _, c := range Calls {
		fmt.Fprintf(&table, "| `%s %s` | %s | %s |\n", c.Method, c.Path, strings.Join(c.Actions, ", "), c.Why)
	}
	golden(t, callsPage, table.String())
}

func TestNoCallIsListedTwice(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Calls {
		key := c.Method + " " + c.Path
		if seen[key] || c.Why == "" || c.Why != text.FirstLine(c.Why) {
			t.Errorf("%s is listed twice, or without a reason", key)
		}
		seen[key] = true
	}
}
