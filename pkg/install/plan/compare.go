package plan

import (
	"context"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
)

// MaxParallel is the number of concurrent requests.
const MaxParallel = 16

// compare reads which objects of the plan exist. It marks those that need no request: the inventory says that exactly this
// was applied, and managedFields show that no other client has changed it since. Metadata is enough, so this takes one
// list per kind and namespace.
func (p *Plan) compare(ctx context.Context, view cluster.View) error {
	recorded := p.Have.Entries()
	asks := map[Place][]int{}
	for i, g := range p.Objects {
		at := Place{g.Object.GroupVersionKind().GroupKind(), g.Object.GetNamespace()}
		asks[at] = append(asks[at], i)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(MaxParallel)
	for at, indices := range asks {
		group.Go(func() error {
			live, err := metadataOf(ctx, view, at)
			for _, i := range indices {
				if g := &p.Objects[i]; live[g.Object.GetName()] != nil {
					g.compareWith(live[g.Object.GetName()], recorded[g.Ref().Identity()])
				}
			}
			return err
		})
	}
	return group.Wait()
}

// compareWith records how a planned object differs from the existing one.
func (g *Gated) compareWith(live *unstructured.Unstructured, recorded inventory.Entry) {
	g.Version = live.GetResourceVersion()
	g.Unchanged = unchanged(recorded, live, *g)
	if g.Adopted = !ManagedByInstall(live) && !nameOnly(g.Object); g.Adopted {
		g.PreviousManagers = previousManagers(live.GetManagedFields())
	}
	g.preExisting = recorded.PreExisting || recorded.Name == "" && g.Ref().GroupKind() == kube.NamespaceKind && PreExisting(live)
	if live.GetDeletionTimestamp() != nil && g.Ref().GroupKind() != kube.NamespaceKind {
		g.Replaces = live
	}
}

// installedAnnotation is on objects that set no field but their name: applying those would own no field, and nothing would show
// that this program created them.
const installedAnnotation = "kubectl-kubeflow/installed"

// mark adds the annotation to an object that needs it.
func mark(o *unstructured.Unstructured) {
	if nameOnly(o) {
		o.SetAnnotations(map[string]string{installedAnnotation: "true"})
	}
}

// nameOnly reports whether an object sets no field but its name, and the annotation that stands for it.
func nameOnly(o *unstructured.Unstructured) bool {
	meta := kube.Map(o.Object, "metadata")
	fields := len(o.Object) + len(meta)
	if notes := kube.Map(meta, "annotations"); len(notes) == 1 && notes[installedAnnotation] == "true" {
		fields--
	}
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

// unchanged reports whether a live object still is what the inventory says was applied, and what is wanted.
func unchanged(e inventory.Entry, live *unstructured.Unstructured, want Gated) bool {
	return e.Applied == want.Digest && e.Fields != "" && OwnedFieldsHash(live) == e.Fields && live.GetDeletionTimestamp() == nil &&
		!(IsWebhookConfiguration(live) && overridden(want.Object, live))
}

// A Place is a kind in one namespace.
type Place struct {
	Kind      schema.GroupKind
	Namespace string
}

func metadataOf(ctx context.Context, view cluster.View, at Place) (map[string]*unstructured.Unstructured, error) {
	list, err := view.List(ctx, at.Kind, cluster.Scope{Namespace: at.Namespace, Metadata: true})
	if meta.IsNoMatchError(err) || apierrors.IsNotFound(err) || apierrors.IsForbidden(err) {
		return nil, nil // deleted meanwhile, or not readable by this user: applied again
	}
	byName := map[string]*unstructured.Unstructured{}
	for _, o := range list {
		byName[o.GetName()] = o
	}
	return byName, err
}
