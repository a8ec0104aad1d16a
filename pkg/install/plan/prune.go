package plan

import (
	"cmp"
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/version"
)

// retainedKinds are the kinds whose objects hold data or objects of others. An install never deletes them.
var retainedKinds = []string{"Namespace", "CustomResourceDefinition.apiextensions.k8s.io", "PersistentVolumeClaim", "PersistentVolume", "Profile.kubeflow.org"}

// RetainedReason is why an object of a retained kind is kept.
const RetainedReason = "it may hold data or other people's objects"

// Retained reports whether an object is of a retained kind.
// Retained reports whether an object is of a retained kind.
func Retained(ref cluster.Ref) bool { return slices.Contains(retainedKinds, ref.GroupKind().String()) }

// decidePrune decides which installed objects that are no longer wanted are deleted. Objects of components that the request
// does not cover stay, and stay in the inventory.
func (p *Plan) decidePrune(request Request) {
	if p.Have == nil {
		return
	}
	want := p.desiredRefs()
	for _, entry := range p.Have.Objects {
		switch {
		case want[entry.Ref.Identity()]:
		case !request.covers(entry.Component):
			p.untouched = append(p.untouched, entry)
		case request.sharedWithOthers(entry.Ref): // it stays, and belongs to the other installation only
		case Retained(entry.Ref):
			p.Keep = append(p.Keep, entry.Ref)
		default:
			p.Prune = append(p.Prune, entry.Ref)
		}
	}
	slices.SortStableFunc(p.Prune, func(a, b cluster.Ref) int { return cmp.Compare(pruneOrder(a), pruneOrder(b)) })
}

// ForeignReason is why an object that an inventory lists is neither deleted nor listed any more.
const ForeignReason = "this program did not write it"

// dropForeign takes out of what is deleted what does not show that this program wrote it: a record alone deletes nothing.
func (p *Plan) dropForeign(ctx context.Context, view cluster.View) error {
	var ours []cluster.Ref
	for _, ref := range p.Prune {
		live, err := metadataOf(ctx, view, Place{ref.GroupKind(), ref.Namespace})
		if err != nil {
			return err
		}
		if o := live[ref.Name]; o != nil && !ManagedByInstall(o) {
			p.Foreign = append(p.Foreign, ref)
			continue
		}
		ours = append(ours, ref)
	}
	p.Prune = ours
	return nil
}

func (p *Plan) desiredRefs() map[cluster.Ref]bool {
	want := map[cluster.Ref]bool{}
	for _, g := range p.Objects {
		want[g.Ref().Identity()] = true
	}
	return want
}

// covers reports whether a request decides about a component. Inventories of older versions name none.
func (r Request) covers(component string) bool {
	return !r.Partial || slices.Contains(r.Skipped, component) ||
		slices.ContainsFunc(r.Components, func(c release.RenderedComponent) bool { return c.Name == component })
}

// pruneOrder deletes webhooks before their servers, and workloads before what they use.
func pruneOrder(ref cluster.Ref) int {
	switch ref.Kind {
	case "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "APIService":
		return 0
	case "ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "Secret", "ConfigMap":
		return 2
	}
	return 1
}

// A LeftOver is an object that an older release left behind, and why it must be deleted.
type LeftOver struct {
	cluster.Ref
	Why string `json:"why"`

	Live *unstructured.Unstructured `json:"-"`
}

// findLeftOvers finds objects on the cluster that older releases left behind. If the installed release is known, only its
// own left-overs count.
func (p *Plan) findLeftOvers(ctx context.Context, view cluster.View, request Request) error {
	if request.Partial {
		return nil
	}
	going := p.desiredRefs()
	for _, ref := range p.Prune {
		going[ref.Identity()] = true
	}
	for _, known := range request.LeftOvers {
		ref := cluster.Ref{APIVersion: known.APIVersion, Kind: known.Kind, Namespace: known.Namespace, Name: known.Name}
		if going[ref.Identity()] || Retained(ref) || p.Have != nil && p.Have.Release != "" && !version.Older(p.Have.Release, known.From) {
			continue
		}
		live, err := view.Get(ctx, ref)
		if apierrors.IsNotFound(err) || apierrors.IsForbidden(err) || meta.IsNoMatchError(err) {
			continue
		}
		if err != nil {
			return err
		}
		p.LeftOvers = append(p.LeftOvers, LeftOver{Ref: ref, Why: known.Why, Live: live})
	}
	return nil
}
