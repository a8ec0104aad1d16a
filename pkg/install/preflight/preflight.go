package preflight

import (
	"context"
	"fmt"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// BlockedError is returned when an install cannot start. It lists all blocking problems at once.
type BlockedError struct{ Problems []*problem.Error }

func (r *BlockedError) Error() string {
	var lines []string
	for _, p := range r.Problems {
		lines = append(lines, p.What)
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the problems.
func (r *BlockedError) Unwrap() []error {
	out := make([]error, len(r.Problems))
	for i, p := range r.Problems {
		out[i] = p
	}
	return out
}

// Run checks for everything that would stop a plan half-way: whether the server has the APIs, whether the user has the permissions,
// whether a namespace is being deleted, and what the server answers to a dry run of each existing object that has to change. It
// writes nothing. The problems are returned as a [BlockedError].
func Run(ctx context.Context, client *cluster.Client, p *plan.Plan) error {
	problems, mayTry, err := prerequisites(p, ctx, client)
	if err != nil {
		return err
	}
	if mayTry {
		found, err := dryRunProblems(p, ctx, client)
		if err != nil {
			return err
		}
		problems = append(problems, found...)
	}
	if len(problems) == 0 {
		return nil
	}
	return &BlockedError{Problems: problems}
}

// prerequisites returns the problems that block a plan, and whether a dry run of single objects makes sense.
func prerequisites(p *plan.Plan, ctx context.Context, client *cluster.Client) (problems []*problem.Error, mayTry bool, err error) {
	view := client.View()
	for _, ask := range []func(context.Context, *plan.Plan, cluster.View) ([]*problem.Error, error){unnamedObjects, plan.CheckSecondInstallation, missingAPIs, terminatingNamespaces} {
		found, err := ask(ctx, p, view)
		if err != nil {
			return nil, false, err
		}
		problems = append(problems, found...)
	}
	if all, err := client.CanEverything(ctx); err != nil || all {
		return problems, all, err
	}
	missing, err := missingPermissions(ctx, p, view)
	return append(problems, missing...), len(missing) == 0, err
}

// unnamedObjects finds objects without a name: every install would create them again.
func unnamedObjects(_ context.Context, p *plan.Plan, _ cluster.View) ([]*problem.Error, error) {
	var problems []*problem.Error
	for _, g := range p.Objects {
		if g.Object.GetName() == "" || g.Object.GetKind() == "" {
			problems = append(problems, &problem.Error{
				What: fmt.Sprintf("an object of component %s has no kind or no name (%s %s)", g.Stage, g.Object.GetKind(), g.Object.GetGenerateName()),
				Next: "Set both: an object with a generated name would be created again by every install",
			})
		}
	}
	return problems, nil
}

// terminatingNamespaces finds namespaces that are being deleted: nothing can be created in them.
func terminatingNamespaces(ctx context.Context, p *plan.Plan, view cluster.View) ([]*problem.Error, error) {
	list, err := view.List(ctx, kube.NamespaceKind, cluster.Scope{})
	if err != nil {
		return nil, err
	}
	needed := map[string]bool{}
	for _, g := range p.Objects {
		needed[g.Object.GetNamespace()] = true
		if g.Ref().GroupKind() == kube.NamespaceKind {
			needed[g.Object.GetName()] = true
		}
	}
	var problems []*problem.Error
	for _, o := range list {
		if needed[o.GetName()] && kube.Text(o.Object, "status", "phase") == "Terminating" {
			problems = append(problems, &problem.Error{
				What: fmt.Sprintf("namespace %s is being deleted", o.GetName()),
				Next: fmt.Sprintf("Wait until it is deleted: kubectl wait --for=delete namespace/%s", escape.Word(o.GetName())),
			})
		}
	}
	return problems, nil
}
