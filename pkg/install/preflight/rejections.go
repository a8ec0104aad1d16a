package preflight

import (
	"context"
	"fmt"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// dryRunProblems sends a dry-run request for each existing object that has to change, and for the new ones that policies may reject, and
// returns the rejections that would stop an install. The verdict also decides how apply writes the object.
func dryRunProblems(p *plan.Plan, ctx context.Context, client *cluster.Client) ([]*problem.Error, error) {
	judged, err := judgedNow(ctx, client.View())
	if err != nil {
		return nil, err
	}
	err = dryRunObjects(p, ctx, client, func(g plan.Gated) bool { return judged(g) || g.Version != "" && !g.Unchanged && g.Replaces == nil })
	if err != nil {
		return nil, err
	}
	var problems []*problem.Error
	var denied denials
	var fixed []string
	more := 0
	for _, g := range p.Objects {
		switch {
		case g.Verdict == nil:
		case g.Verdict.Action == plan.Rejected && denied.take(g.Verdict):
		case g.Verdict.Action == plan.Rejected && len(problems) == plan.MaxListed:
			more++
		case g.Verdict.Action == plan.Rejected:
			problems = append(problems, g.Verdict.Problem)
		case g.Verdict.NeedsRecreate() && !p.Request.Recreate:
			fixed = append(fixed, g.Verdict.Problem.What)
		}
	}
	if more > 0 {
		problems = append(problems, &problem.Error{What: fmt.Sprintf("the API server rejected %d more objects", more), Next: "See all with --diff"})
	}
	problems = append(problems, denied.problems()...)
	if len(fixed) > 0 {
		problems = append(problems, &problem.Error{What: strings.Join(text.Lines(fixed, plan.MaxListed), "\n"),
			Next: "To recreate what cannot be changed in place: --recreate. Objects that hold data are never recreated"})
	}
	return problems, nil
}
