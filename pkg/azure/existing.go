package azure

import (
	"context"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	aks "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v9"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
)

// An Existing is a cluster that Azure has.
type Existing struct {
	Name          string            `json:"name"`
	ResourceGroup string            `json:"resourceGroup"`
	Location      string            `json:"location"`
	Kubernetes    string            `json:"kubernetes"`
	State         string            `json:"state"` // of the last operation
	Power         string            `json:"power"` // Running or Stopped
	Nodes         int               `json:"nodes"`
	Private       bool              `json:"private"`
	Tags          map[string]string `json:"tags,omitempty"`

	wanted   string // the version that was asked for
	identity string // the object ID of its identity
	group    string // of its nodes
	failure  string // why the last operation failed
}

// Ours reports whether this program created the cluster.
func (e *Existing) Ours() bool { return e.Tags[CreatedBy] == Program && e.Tags[optionsTag] != "" }

// cluster returns a cluster, nil if there is none of this name.
func (c *Client) cluster(ctx context.Context, group, name string) (*Existing, error) {
	if err := c.open(); err != nil {
		return nil, err
	}
	answer, err := c.clusters.Get(ctx, group, name, nil)
	if notFound(err) && slices.Contains([]string{"ResourceNotFound", "ResourceGroupNotFound", "NotFound", ""}, Code(err)) {
		return nil, nil
	}
	if err != nil {
		return nil, c.explain(err, "reading cluster "+escape.Line(name))
	}
	return existing(&answer.ManagedCluster), nil
}

func existing(m *aks.ManagedCluster) *Existing {
	e := &Existing{Name: value(m.Name), Location: value(m.Location), Tags: map[string]string{}}
	for key, tag := range m.Tags {
		e.Tags[key] = value(tag)
	}
	e.ResourceGroup = groupOf(value(m.ID))
	if m.Identity != nil {
		e.identity = value(m.Identity.PrincipalID)
	}
	p := m.Properties
	if p == nil {
		return e
	}
	e.wanted, e.State, e.group = value(p.KubernetesVersion), value(p.ProvisioningState), value(p.NodeResourceGroup)
	if e.Kubernetes = value(p.CurrentKubernetesVersion); e.Kubernetes == "" {
		e.Kubernetes = e.wanted
	}
	if p.PowerState != nil && p.PowerState.Code != nil {
		e.Power = string(*p.PowerState.Code)
	}
	for _, pool := range p.AgentPoolProfiles {
		if pool != nil && pool.Count != nil {
			e.Nodes += int(*pool.Count)
		}
	}
	e.Private = p.APIServerAccessProfile != nil && is(p.APIServerAccessProfile.EnablePrivateCluster)
	if p.Status != nil && p.Status.ProvisioningError != nil {
		e.failure = strings.TrimSpace(value(p.Status.ProvisioningError.Message) + " (" + value(p.Status.ProvisioningError.Code) + ")")
	}
	return e
}

// groupOf returns the resource group in a resource ID, "" where there is none.
func groupOf(id string) string {
	parsed, err := arm.ParseResourceID(id)
	if err != nil {
		return ""
	}
	return parsed.ResourceGroupName
}
