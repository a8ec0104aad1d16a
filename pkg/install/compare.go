package install

import (
	"context"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// lookers is how many questions are asked at once.
const lookers = 16

// compare marks the objects that need no request: an earlier install recorded that it applied exactly this, and the
// cluster's own record of who owns which field says that nobody has changed any of it since.
// Metadata is enough to know, one list for each kind and namespace.
func (p *Plan) compare(ctx context.Context, view cluster.View, have *Inventory) error {
	if have == nil {
		return nil
	}
	recorded := have.entries()
	asks := map[place][]int{}
	for i, g := range p.Objects {
		if _, ok := recorded[g.Ref().Identity()]; ok {
			at := place{g.Object.GroupVersionKind().GroupKind(), g.Object.GetNamespace()}
			asks[at] = append(asks[at], i)
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(lookers)
	for at, indices := range asks {
		group.Go(func() error {
			live, err := metadataOf(ctx, view, at)
			for _, i := range indices {
				ref := p.Objects[i].Ref().Identity()
				if o := live[ref.Name]; o != nil {
					p.Objects[i].version = o.GetResourceVersion()
					p.Objects[i].Unchanged = recorded[ref].still(o, p.Objects[i])
				}
			}
			return err
		})
	}
	return group.Wait()
}

// still tells whether a live object is as this entry says it was left, and as it should be.
func (e Entry) still(live *unstructured.Unstructured, want Gated) bool {
	return e.Applied == want.digest && e.Fields != "" && claim(live) == e.Fields && live.GetDeletionTimestamp() == nil &&
		!(isWebhooks(live) && taken(want.Object, live))
}

// A place is where objects of a kind are.
type place struct {
	kind      schema.GroupKind
	namespace string
}

func metadataOf(ctx context.Context, view cluster.View, at place) (map[string]*unstructured.Unstructured, error) {
	list, err := view.List(ctx, at.kind, cluster.Scope{Namespace: at.namespace, Metadata: true})
	if meta.IsNoMatchError(err) || apierrors.IsNotFound(err) {
		return nil, nil // gone since: applied again
	}
	byName := map[string]*unstructured.Unstructured{}
	for _, o := range list {
		byName[o.GetName()] = o
	}
	return byName, err
}
