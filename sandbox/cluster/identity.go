package cluster

import (
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks"
)

// tellIdentityProvider writes where the identity provider is, and what it has registered, beside the kubeconfig.
func (c *Cluster) tellIdentityProvider(platform *aks.AKS) error {
	found := platform.IdentityProvider()
	if found == nil {
		return nil
	}
	found.CAFile = filepath.Join(c.place.Dir, "identity-provider.pem")
	if err := os.WriteFile(found.CAFile, c.control.CA.CertPEM, 0o600); err != nil {
		return err
	}
	text, err := json.MarshalIndent(found, "", "  ")
	if err != nil {
		return err
	}
	c.place.Identity = filepath.Join(c.place.Dir, "identity-provider.json")
	return os.WriteFile(c.place.Identity, append(text, '\n'), 0o600)
}
