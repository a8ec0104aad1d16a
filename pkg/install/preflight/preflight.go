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
type BlockedError struct {
	Problems []*problem.Error
	Checks   []string // the check of doctor that reports each problem
}

func (r *BlockedError) Error() string {
	var lines []string
	for _, p := range r.Problems {
		lines = append(lines, p.What)
	}
	return strings.Join(lines, "\n")
}

// Check returns the check that reports a problem, "" if that is not known.
func (r *BlockedError) Check(i int) string {
	if i < len(r.Checks) {
		return r.Checks[i]
	}
	return ""
}

// Unwrap returns the problems.
func (r *BlockedError) Unwrap() []error {
	out := make([]error, len(r.Problems))
	for i, p := range r.Problems {
		out[i] = p
	}
	return out
}

// A Problem is what would stop a plan, with the ID of the check of doctor that reports it.
type Problem struct {
	Check string
	*problem.Error
}

// The checks that report what a plan needs of the server.
const (
	APIs        = "preflight/apis"
	Permissions = "preflight/permissions"
	Objects     = "preflight/objects"
)

// Look checks for everything that would stop a plan half-way: whether the server has the APIs, whether the user has the permissions,
// whether a namespace is being deleted, and what the server answers to a dry run of each existing object that has to change. It
// writes nothing.
func Look(ctx context.Context, client *cluster.Client, p *plan.Plan) ([]Problem, error) {
	problems, mayTry, err := prerequisites(p, ctx, client)
	if err != nil || !mayTry {
		return problems, err
	}
	found, err := dryRunProblems(p, ctx, client)
	return append(problems, of(Objects, found)...), err
}

// Run is [Look] with the problems as a [BlockedError].
func Run(ctx context.Context, client *cluster.Client, p *plan.Plan) error {
	found, err := Look(ctx, client, p)
	if err != nil || len(found) == 0 {
		return err
	}
	blocked := &BlockedError{}
	for _, f := range found {
		blocked.Problems, blocked.Checks = append(blocked.Problems, f.Error), append(blocked.Checks, f.Check)
	}
	return blocked
}

// of attributes problems to a check.
func of(check string, found []*problem.Error) []Problem {
	var problems []Problem
	for _, p := range found {
		problems = append(problems, Problem{check, p})
	}
	return problems
}

// prerequisites returns the problems that block a plan, and whether a dry run of single objects makes sense.
func prerequisites(p *plan.Plan, ctx context.Context, client *cluster.Client) (problems []Problem, mayTry bool, err error) {
	view := client.View()
	for _, question := range []struct {
		check string
		ask   func(context.Context, *plan.Plan, cluster.View) ([]*problem.Error, error)
	}{{Objects, unnamedObjects}, {Objects, plan.CheckSecondInstallation}, {APIs, missingAPIs}, {Objects, terminatingNamespaces}} {
		found, err := question.ask(ctx, p, view)
		if err != nil {
			return nil, false, err
		}
		problems = append(problems, of(question.check, found)...)
	}
	if all, err := client.CanEverything(ctx); err != nil || all {
		return problems, all, err
	}
	missing, err := missingPermissions(ctx, p, view)
	return append(problems, of(Permissions, missing)...), len(missing) == 0, err
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
