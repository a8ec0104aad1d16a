package plan

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
)

// Lookers is how many questions are asked at once.
const Lookers = 16

// compare learns what of the plan is on the cluster. It marks the objects that need no request: an earlier install recorded
// that it applied exactly this, and the cluster's own record of who owns which field says that nobody has changed any of
// it since. Metadata is enough to know, one list for each kind and namespace.
func (p *Plan) compare(ctx context.Context, view cluster.View) error {
	recorded := p.Have.Entries()
	asks := map[Place][]int{}
	for i, g := range p.Objects {
		at := Place{g.Object.GroupVersionKind().GroupKind(), g.Object.GetNamespace()}
		asks[at] = append(asks[at], i)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(Lookers)
	for at, indices := range asks {
		group.Go(func() error {
			live, err := metadataOf(ctx, view, at)
			for _, i := range indices {
				if g := &p.Objects[i]; live[g.Object.GetName()] != nil {
					g.meet(live[g.Object.GetName()], recorded[g.Ref().Identity()])
				}
			}
			return err
		})
	}
	return group.Wait()
}

// meet takes in that an object is there already.
func (g *Gated) meet(live *unstructured.Unstructured, recorded inventory.Entry) {
	g.Version = live.GetResourceVersion()
	g.Unchanged = still(recorded, live, *g)
	if g.Adopted = !AppliedByUs(live) && !bare(g.Object); g.Adopted {
		g.Makers = makers(live.GetManagedFields())
	}
	g.found = recorded.Found || recorded.Name == "" && g.Ref().GroupKind() == kube.NamespaceKind && MadeBefore(live)
	if live.GetDeletionTimestamp() != nil && g.Ref().GroupKind() != kube.NamespaceKind {
		g.Clear = live
	}
}

// bare tells whether an object is a name alone: nobody owns a field of it, and there is nothing to take over.
func bare(o *unstructured.Unstructured) bool {
	meta := kube.Map(o.Object, "metadata")
	fields := len(o.Object) + len(meta)
	for _, field := range []string{"apiVersion", "kind", "metadata"} {
		if _, there := o.Object[field]; there {
			fields--
		}
	}
	for _, field := range []string{"name", "namespace"} {
		if _, there := meta[field]; there {
			fields--
		}
	}
	return fields == 0
}

// still tells whether a live object is as this entry says it was left, and as it should be.
func still(e inventory.Entry, live *unstructured.Unstructured, want Gated) bool {
	return e.Applied == want.Digest && e.Fields != "" && Claim(live) == e.Fields && live.GetDeletionTimestamp() == nil &&
		!(IsWebhooks(live) && taken(want.Object, live))
}

// A Place is where objects of a kind are.
type Place struct {
	Kind      schema.GroupKind
	Namespace string
}

func metadataOf(ctx context.Context, view cluster.View, at Place) (map[string]*unstructured.Unstructured, error) {
	list, err := view.List(ctx, at.Kind, cluster.Scope{Namespace: at.Namespace, Metadata: true})
	if meta.IsNoMatchError(err) || apierrors.IsNotFound(err) || apierrors.IsForbidden(err) {
		return nil, nil // gone since, or not for this user to see: applied again
	}
	byName := map[string]*unstructured.Unstructured{}
	for _, o := range list {
		byName[o.GetName()] = o
	}
	return byName, err
}

// MadeBefore tells whether somebody else made a namespace: who makes one without server-side apply owns the label
// that the server gives it. What kfctl made was Kubeflow's as well, and a name alone, applied twice, shows as nobody's.
func MadeBefore(o *unstructured.Unstructured) bool {
	return slices.ContainsFunc(o.GetManagedFields(), func(f ManagedFields) bool {
		if f.FieldsV1 == nil || strings.HasPrefix(f.Manager, inventory.Manager) || strings.HasPrefix(f.Manager, "kfctl") || f.Manager == "before-first-apply" {
			return false
		}
		_, found, _ := unstructured.NestedFieldNoCopy(inventory.DecodeFields(f.FieldsV1.GetRawBytes()), "f:metadata", "f:labels", "f:kubernetes.io/metadata.name")
		return found
	})
}
