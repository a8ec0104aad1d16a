package kubeflow

import (
	"slices"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/status"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/lock"
)

// An Overview is what status shows, and its document.
type Overview struct {
	APIVersion     string              `json:"apiVersion"`
	Kind           string              `json:"kind"`
	Context        string              `json:"context,omitempty"`
	Server         string              `json:"server"`
	Kubernetes     string              `json:"kubernetes,omitempty"`
	Release        doctor.KnownRelease `json:"release"`
	Upgrade        string              `json:"upgradeAvailable,omitempty"` // the release that an upgrade would install
	*status.Status                     // nil when it could not be read
	Dashboard      Dashboard           `json:"dashboard"`
	Nodes          []status.Pool       `json:"nodes"`
	AtWork         *lock.Holder        `json:"atWork,omitempty"`  // who changes it now
	LastFix        *LastFix            `json:"lastFix,omitempty"` // the last doctor --fix
	Others         []string            `json:"otherInstallations,omitempty"`
	Warnings       []string            `json:"warnings,omitempty"` // what is not believed, and why
	Error          string              `json:"error,omitempty"`
}

// A Dashboard says where the dashboard is.
type Dashboard struct {
	URL       string            `json:"url,omitempty"`
	Endpoints []expose.Endpoint `json:"endpoints"`
	Why       string            `json:"why,omitempty"` // why nothing is known of it

	Unprotected string `json:"unprotected,omitempty"` // why a public address is not proven to be authenticated; "" when none is public
}

// A LastFix is what is left of a doctor --fix.
type LastFix struct {
	Run     string    `json:"run"`
	Started time.Time `json:"started"`
	Changes int       `json:"changes"`
	State   string    `json:"state"` // done, undone or interrupted
}

// NewOverview returns an empty overview of a cluster; client may be nil where there is none.
func NewOverview(client *cluster.Client) *Overview {
	o := &Overview{
		APIVersion: "kubeflow.install/v1alpha1", Kind: "Status", Release: doctor.KnownRelease{From: "unknown"},
		Dashboard: Dashboard{Endpoints: []expose.Endpoint{}}, Nodes: []status.Pool{},
	}
	if client != nil {
		o.Context, o.Server = client.Context, client.Server()
	}
	return o
}

// Incomplete reports whether the cluster no longer has something that was installed.
func (o *Overview) Incomplete() bool {
	return o.Release.From == "inventory" && slices.ContainsFunc(o.Components, func(c status.Component) bool {
		return slices.ContainsFunc(c.Items, func(i status.Object) bool { return i.State == status.Missing })
	})
}
