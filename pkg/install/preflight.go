package install

import (
	"cmp"
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
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// Refused is the error of an install that did not begin. It names everything that is in the way, at once.
type Refused struct{ Problems []*cluster.Problem }

func (r *Refused) Error() string {
	var lines []string
	for _, p := range r.Problems {
		lines = append(lines, p.What)
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the problems.
func (r *Refused) Unwrap() []error {
	out := make([]error, len(r.Problems))
	for i, p := range r.Problems {
		out[i] = p
	}
	return out
}

// Preflight looks for everything that would stop a plan half-way: APIs the server does not have, permissions the user
// does not have, namespaces that are being deleted. It writes nothing. What it finds is a [Refused].
func Preflight(ctx context.Context, client *cluster.Client, plan *Plan) error {
	view := client.View()
	var problems []*cluster.Problem
	for _, ask := range []func(context.Context, *Plan, cluster.View) ([]*cluster.Problem, error){unnamed, goneAPIs, goingNamespaces} {
		found, err := ask(ctx, plan, view)
		if err != nil {
			return err
		}
		problems = append(problems, found...)
	}
	if all, err := client.CanEverything(ctx); err != nil {
		return err
	} else if !all {
		found, err := missingPermissions(ctx, plan, view)
		if err != nil {
			return err
		}
		problems = append(problems, found...)
	}
	if len(problems) > 0 {
		return &Refused{Problems: problems}
	}
	return nil
}

// unnamed finds objects without a name: they would be made anew by every run.
func unnamed(_ context.Context, plan *Plan, _ cluster.View) ([]*cluster.Problem, error) {
	var problems []*cluster.Problem
	for _, g := range plan.Objects {
		if g.Object.GetName() == "" || g.Object.GetKind() == "" {
			problems = append(problems, &cluster.Problem{
				What: fmt.Sprintf("an object of component %s has no kind or no name (%s %s)", g.Stage, g.Object.GetKind(), g.Object.GetGenerateName()),
				Next: "Give it one: an object that gets its name from the server would be made anew by every install",
			})
		}
	}
	return problems, nil
}

// goneAPIs finds kinds that the server has no API for and the plan brings no definition of.
func goneAPIs(ctx context.Context, plan *Plan, view cluster.View) ([]*cluster.Problem, error) {
	gone := map[schema.GroupVersion]map[string]int{}
	for kind, count := range plan.kindsAskedOfServer() {
		serves, err := view.Serves(ctx, kind)
		if err != nil {
			return nil, err
		}
		if !serves {
			if gone[kind.GroupVersion()] == nil {
				gone[kind.GroupVersion()] = map[string]int{}
			}
			gone[kind.GroupVersion()][kind.Kind] = count
		}
	}
	if len(gone) == 0 {
		return nil, nil
	}
	info, err := view.Version(ctx)
	if err != nil {
		return nil, err
	}
	return []*cluster.Problem{{
		What: fmt.Sprintf("Kubernetes %s does not have the APIs that %s needs:\n%s", strings.TrimPrefix(info.GitVersion, "v"), plan.title(), listGone(gone)),
		Next: whatFits(info.GitVersion),
	}}, nil
}

func (p *Plan) title() string {
	if p.Release != "" {
		return "Kubeflow " + p.Release
	}
	return "this install"
}

// kindsAskedOfServer counts the objects of each kind that the plan does not define itself.
func (p *Plan) kindsAskedOfServer() map[schema.GroupVersionKind]int {
	defined := map[schema.GroupKind]bool{}
	for _, g := range p.Objects {
		if g.Object.GroupVersionKind().GroupKind() == crdKind {
			defined[schema.GroupKind{Group: text(g.Object.Object, "spec", "group"), Kind: text(g.Object.Object, "spec", "names", "kind")}] = true
		}
	}
	asked := map[schema.GroupVersionKind]int{}
	for _, g := range p.Objects {
		if kind := g.Object.GroupVersionKind(); !defined[kind.GroupKind()] {
			asked[kind]++
		}
	}
	return asked
}

func listGone(gone map[schema.GroupVersion]map[string]int) string {
	byVersion := func(a, b schema.GroupVersion) int { return cmp.Compare(a.String(), b.String()) }
	var lines []string
	for _, gv := range slices.SortedFunc(maps.Keys(gone), byVersion) {
		var kinds []string
		for _, kind := range slices.Sorted(maps.Keys(gone[gv])) {
			kinds = append(kinds, fmt.Sprintf("%d %s", gone[gv][kind], kind))
		}
		lines = append(lines, fmt.Sprintf("  %s (%s)", gv, strings.Join(kinds, ", ")))
	}
	return strings.Join(lines, "\n")
}

// whatFits says which releases a Kubernetes version can have.
func whatFits(kubernetes string) string {
	var fitting []string
	for _, r := range release.Fitting(kubernetes) {
		if r.Installable() {
			fitting = append(fitting, r.Version)
		}
	}
	if len(fitting) == 0 {
		return "See the releases and the Kubernetes versions they need with: kubectl kubeflow releases"
	}
	return fmt.Sprintf("Tested on this version: %s. Install one with: kubectl kubeflow install --release %s", strings.Join(fitting, ", "), fitting[len(fitting)-1])
}

// goingNamespaces finds namespaces that are being deleted: nothing can be made in them.
func goingNamespaces(ctx context.Context, plan *Plan, view cluster.View) ([]*cluster.Problem, error) {
	list, err := view.List(ctx, namespaceKind, cluster.Scope{})
	if err != nil {
		return nil, err
	}
	needed := map[string]bool{}
	for _, g := range plan.Objects {
		needed[g.Object.GetNamespace()] = true
		if g.Ref().GroupKind() == namespaceKind {
			needed[g.Object.GetName()] = true
		}
	}
	var problems []*cluster.Problem
	for _, o := range list {
		if needed[o.GetName()] && text(o.Object, "status", "phase") == "Terminating" {
			problems = append(problems, &cluster.Problem{
				What: fmt.Sprintf("namespace %s is being deleted", o.GetName()),
				Next: fmt.Sprintf("Wait until it is gone: kubectl wait --for=delete namespace/%s", o.GetName()),
			})
		}
	}
	return problems, nil
}

// missingPermissions asks for each kind and namespace whether the user may apply there.
func missingPermissions(ctx context.Context, plan *Plan, view cluster.View) ([]*cluster.Problem, error) {
	places := map[place]bool{}
	for _, g := range plan.Objects {
		places[place{g.Object.GroupVersionKind().GroupKind(), g.Object.GetNamespace()}] = true
	}
	var mu sync.Mutex
	denied := map[string]bool{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(lookers)
	for at := range places {
		for _, verb := range []string{"create", "patch"} {
			group.Go(func() error {
				can, err := view.Can(ctx, verb, at.kind, cluster.Scope{Namespace: at.namespace})
				if meta.IsNoMatchError(err) || errors.As(err, new(*cluster.ErrUnknowable)) {
					return nil // a missing kind is a problem of its own
				}
				if err == nil && !can {
					mu.Lock()
					defer mu.Unlock()
					denied[permission(verb, at)] = true
				}
				return err
			})
		}
	}
	if err := group.Wait(); err != nil || len(denied) == 0 {
		return nil, err
	}
	all := slices.Sorted(maps.Keys(denied))
	shown := all[:min(len(all), mentioned)]
	what := "you may not " + strings.Join(shown, ", ")
	if more := len(all) - len(shown); more > 0 {
		what += fmt.Sprintf(", and %d more", more)
	}
	return []*cluster.Problem{{What: what,
		Next: "An install makes roles and definitions for the whole cluster: ask for the role cluster-admin (on AKS: Azure Kubernetes Service RBAC Cluster Admin)"}}, nil
}

func permission(verb string, at place) string {
	if at.namespace == "" {
		return verb + " " + at.kind.Kind
	}
	return fmt.Sprintf("%s %s in %s", verb, at.kind.Kind, at.namespace)
}
