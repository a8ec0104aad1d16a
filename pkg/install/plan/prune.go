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

// keepers are the kinds whose objects hold data, or other people's objects.
var keepers = []string{"Namespace", "CustomResourceDefinition.apiextensions.k8s.io", "PersistentVolumeClaim", "PersistentVolume", "Profile.kubeflow.org"}

// MayHold is why a keeper stays that is no longer wanted.
const MayHold = "it may hold data or other people's objects"

func Keeper(ref cluster.Ref) bool { return slices.Contains(keepers, ref.GroupKind().String()) }

// leave sorts what is installed and no longer wanted into what goes and what stays. What belongs to a component that
// the request is not about is none of its business: it stays, and stays recorded.
func (p *Plan) leave(request Request) {
	if p.Have == nil {
		return
	}
	want := p.wanted()
	for _, entry := range p.Have.Objects {
		switch {
		case want[entry.Ref.Identity()]:
		case !request.about(entry.Component):
			p.rest = append(p.rest, entry)
		case request.lists(entry.Ref): // it stays, and is the other installation's alone
		case Keeper(entry.Ref):
			p.Keep = append(p.Keep, entry.Ref)
		default:
			p.Prune = append(p.Prune, entry.Ref)
		}
	}
	slices.SortStableFunc(p.Prune, func(a, b cluster.Ref) int { return cmp.Compare(pruneOrder(a), pruneOrder(b)) })
}

func (p *Plan) wanted() map[cluster.Ref]bool {
	want := map[cluster.Ref]bool{}
	for _, g := range p.Objects {
		want[g.Ref().Identity()] = true
	}
	return want
}

// about tells whether a request says all there is to say of a component. Records of an older program name none.
func (r Request) about(component string) bool {
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
	going := p.wanted()
	for _, ref := range p.Prune {
		going[ref.Identity()] = true
	}
	for _, known := range request.LeftOvers {
		ref := cluster.Ref{APIVersion: known.APIVersion, Kind: known.Kind, Namespace: known.Namespace, Name: known.Name}
		if going[ref.Identity()] || Keeper(ref) || p.Have != nil && p.Have.Release != "" && !release.Older(p.Have.Release, known.From) {
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
