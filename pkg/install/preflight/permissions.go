package preflight

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A permission is one verb on one kind, in a namespace or cluster-wide, that a plan needs.
type permission struct {
	verb string
	plan.Place
}

func (p permission) String() string {
	if p.Namespace == "" {
		return p.verb + " " + p.Kind.Kind
	}
	return fmt.Sprintf("%s %s in %s", p.verb, p.Kind.Kind, p.Namespace)
}

// requiredPermissions returns the permissions that a plan needs, sorted.
func requiredPermissions(p *plan.Plan) []permission {
	all := map[permission]bool{}
	for _, g := range p.Objects {
		at := plan.Place{Kind: g.Object.GroupVersionKind().GroupKind(), Namespace: g.Object.GetNamespace()}
		all[permission{"create", at}], all[permission{"patch", at}] = true, true
	}
	for _, ref := range p.Prune {
		all[permission{"delete", plan.Place{Kind: ref.GroupKind(), Namespace: ref.Namespace}}] = true
	}
	return slices.SortedFunc(maps.Keys(all), func(a, b permission) int { return strings.Compare(a.String(), b.String()) })
}

// missingPermissions reports the required permissions that the user does not have. It first asks for all verbs on each kind in the
// whole cluster, and asks for single namespaces only where that was denied. It stops once it has found enough to list.
func missingPermissions(ctx context.Context, p *plan.Plan, view cluster.View) ([]*problem.Error, error) {
	permits := requiredPermissions(p)
	kinds := map[schema.GroupKind]bool{}
	for _, p := range permits {
		kinds[p.Kind] = true
	}
	var whole []permission
	for kind := range kinds {
		whole = append(whole, permission{"*", plan.Place{Kind: kind}})
	}
	short, err := deniedPermissions(ctx, view, whole, len(whole))
	if err != nil {
		return nil, err
	}
	refused := map[schema.GroupKind]bool{}
	for _, p := range short {
		refused[p.Kind] = true
	}
	open := slices.DeleteFunc(permits, func(p permission) bool { return !refused[p.Kind] })
	denied, err := deniedPermissions(ctx, view, open, plan.MaxListed)
	if err != nil || len(denied) == 0 {
		return nil, err
	}
	var names []string
	for _, p := range denied[:min(len(denied), plan.MaxListed)] {
		names = append(names, p.String())
	}
	what := "you are not allowed to " + strings.Join(names, ", ")
	if len(denied) >= plan.MaxListed {
		what += ", and possibly more"
	}
	return []*problem.Error{{What: what,
		Next: "An install creates ClusterRoles and CRDs: ask for the role cluster-admin (on AKS: Azure Kubernetes Service RBAC Cluster Admin)"}}, nil
}

// deniedPermissions returns the permissions that the user does not have, in order. It stops asking once it has found enough.
func deniedPermissions(ctx context.Context, view cluster.View, permits []permission, enough int) ([]permission, error) {
	var mu sync.Mutex
	denied := map[int]bool{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(plan.MaxParallel)
	for i, p := range permits {
		mu.Lock()
		full := len(denied) >= enough
		mu.Unlock()
		if full {
			break
		}
		group.Go(func() error {
			can, err := view.Can(ctx, p.verb, p.Kind, cluster.Scope{Namespace: p.Namespace})
			if meta.IsNoMatchError(err) || errors.As(err, new(*cluster.ErrUnknowable)) {
				return nil // missingAPIs reports it
			}
			mu.Lock()
			defer mu.Unlock()
			denied[i] = err == nil && !can
			if !denied[i] {
				delete(denied, i)
			}
			return err
		})
	}
	err := group.Wait()
	var out []permission
	for _, i := range slices.Sorted(maps.Keys(denied)) {
		out = append(out, permits[i])
	}
	return out, err
}
