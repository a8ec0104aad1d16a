package expose

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/probe"
)

// An Endpoint is one way in which the dashboard can be reached now, with the result of probing it.
type Endpoint struct {
	dashboard.Endpoint
	CreatedByExpose bool          `json:"madeByExpose"`
	Pending         string        `json:"waitsFor,omitempty"` // why there is no address yet
	Answer          *probe.Result `json:"answer,omitempty"`   // nil when it was not probed
}

// Endpoints returns how the dashboard can be reached now: what a browser can open first, narrower ones last.
func Endpoints(t Target) []Endpoint {
	var all []Endpoint
	for _, e := range t.Dashboard.Endpoints() {
		made := slices.ContainsFunc(t.Inventory.Objects, func(o *unstructured.Unstructured) bool { return cluster.RefOf(o) == e.About })
		all = append(all, Endpoint{Endpoint: e, CreatedByExpose: made})
	}
	return all
}
