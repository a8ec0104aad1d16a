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
	Release    string        // "26.03"; empty if the objects are not of a known release
	Pins       []release.Pin // the sources that the objects were rendered from
	Namespace  string        // of namespaced objects that name none; empty means default
	Components []release.RenderedComponent

	Partial   bool                   // Components are not all: objects of other installed components stay
	Skipped   []string               // components that are not wanted, even if Partial is set
	LeftOvers []release.LeftOver     // what older releases leave behind
	Others    []*inventory.Inventory // the other installations on the cluster
	Recreate  bool                   // objects that cannot be changed in place may be recreated
}

// Kinds returns the resource and scope of a kind the server has; cluster.Client.Mapping is one.
// Its error for a kind that the server does not have satisfies meta.IsNoMatchError.
type Kinds func(schema.GroupVersionKind) (*meta.RESTMapping, error)

// A desired is an object of the request, before it is part of a plan.
type desired struct {
	ref    cluster.Ref // of the object, without its version
	stage  string
	object *unstructured.Unstructured
}

// collect returns the request's objects in order, each once, normalized and with a namespace. If two components contain the
// same object the later one wins, as if they were applied one after another.
func collect(request Request, kinds *kindTable) []*desired {
	var all []*desired
	place := map[cluster.Ref]*desired{}
	for _, component := range request.Components {
		for _, o := range component.Objects {
			o = Normalize(o)
			kinds.setNamespace(o, request.Namespace)
			mark(o)
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
