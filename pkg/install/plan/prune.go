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
)

// retainedKinds are the kinds whose objects hold data, or other people's objects.
var retainedKinds = []string{"Namespace", "CustomResourceDefinition.apiextensions.k8s.io", "PersistentVolumeClaim", "PersistentVolume", "Profile.kubeflow.org"}

// RetainedReason is why a keeper stays that is no longer wanted.
const RetainedReason = "it may hold data or other people's objects"

func Retained(ref cluster.Ref) bool { return slices.Contains(retainedKinds, ref.GroupKind().String()) }

// decidePrune sorts what is installed and no longer wanted into what goes and what stays. What belongs to a component that
// the request is not about is none of its business: it stays, and stays recorded.
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
		case request.sharedWithOthers(entry.Ref): // it stays, and is the other installation's alone
		case Retained(entry.Ref):
			p.Keep = append(p.Keep, entry.Ref)
		default:
			p.Prune = append(p.Prune, entry.Ref)
		}
	}
	slices.SortStableFunc(p.Prune, func(a, b cluster.Ref) int { return cmp.Compare(pruneOrder(a), pruneOrder(b)) })
}

func (p *Plan) desiredRefs() map[cluster.Ref]bool {
	want := map[cluster.Ref]bool{}
	for _, g := range p.Objects {
		want[g.Ref().Identity()] = true
	}
	return want
}

// covers tells whether a request says all there is to say of a component. Records of an older program name none.
func (r Request) covers(component string) bool {
	return !r.Partial || slices.Contains(r.Skipped, component) ||
		slices.ContainsFunc(r.Components, func(c release.RenderedComponent) bool { return c.Name == component })
}

// pruneOrder takes webhooks off before what serves them, and workloads before what they use.
func pruneOrder(ref cluster.Ref) int {
	switch ref.Kind {
	case "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "APIService":
		return 0
	case "ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "Secret", "ConfigMap":
		return 2
	}
	return 1
}

// A LeftOver is an object on the cluster that an older release left behind, and why it has to go.
type LeftOver struct {
	cluster.Ref
	Why string `json:"why"`

	Live *unstructured.Unstructured `json:"-"`
}

// findLeftOvers looks which of the objects that older releases leave behind are on the cluster. Where the release that
// was there is known, only what that one leaves counts.
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
		if going[ref.Identity()] || Retained(ref) || p.Have != nil && p.Have.Release != "" && !release.Older(p.Have.Release, known.From) {
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
