package plan

import (
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// A Request is what should be on the cluster.
type Request struct {
	Name       string        // the installation's name; several can live on one cluster
	Release    string        // "26.03"; empty when the objects are no release we know
	Pins       []release.Pin // what the objects were made from
	Namespace  string        // where objects belong that name no namespace; empty means default
	Components []release.RenderedComponent

	Partial   bool                   // Components are not all: what is installed of others stays
	Skipped   []string               // components that are not wanted, whatever Partial says
	LeftOvers []release.LeftOver     // what older releases leave behind
	Others    []*inventory.Inventory // the other installations on the cluster
	Recreate  bool                   // what cannot be changed in place may be made anew
}

// Kinds returns the resource and scope of a kind the server has; cluster.Client.Mapping is one.
// Its error for a kind that the server does not have satisfies meta.IsNoMatchError.
type Kinds func(schema.GroupVersionKind) (*meta.RESTMapping, error)

// A desired object is one of the request's, on its way to becoming part of a plan.
type desired struct {
	ref    cluster.Ref // of the object, without its version
	stage  string
	object *unstructured.Unstructured
}

// collect returns the request's objects as they should be applied: in order, each once, with their namespaces put right.
// Where two components bring the same object the later one wins, as it would if they were applied one after another.
func collect(request Request, kinds *kindTable) []*desired {
	var all []*desired
	place := map[cluster.Ref]*desired{}
	for _, component := range request.Components {
		for _, o := range component.Objects {
			o = Normalize(o)
			kinds.setNamespace(o, request.Namespace)
			ref := cluster.RefOf(o).Identity()
			if earlier, twice := place[ref]; twice {
				earlier.object = o
				continue
			}
			w := &desired{ref: ref, stage: component.Name, object: o}
			place[ref] = w
			all = append(all, w)
		}
	}
	dropAutoscaledReplicas(all)
	return all
}
