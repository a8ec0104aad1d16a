package install

import (
	"context"
	"fmt"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// trials asks the server about each object that is there and has to change, and returns what would stop an install at one
// of them. What a trial says of an object decides how it is written: see bring.
func (p *Plan) trials(ctx context.Context, client *cluster.Client) ([]*cluster.Problem, error) {
	err := p.try(ctx, client, func(g Gated) bool { return g.version != "" && !g.Unchanged && g.clear == nil })
	if err != nil {
		return nil, err
	}
	var problems []*cluster.Problem
	var fixed []string
	more := 0
	for _, g := range p.Objects {
		switch {
		case g.verdict == nil:
		case g.verdict.Action == Rejected && len(problems) == mentioned:
			more++
		case g.verdict.Action == Rejected:
			problems = append(problems, g.verdict.problem)
		case g.verdict.Action == Recreate && !p.request.Recreate:
			fixed = append(fixed, g.verdict.problem.What)
		}
	}
	if more > 0 {
		problems = append(problems, &cluster.Problem{What: fmt.Sprintf("the cluster does not take %d more objects", more), Next: "See all with --diff"})
	}
	if len(fixed) > 0 {
		problems = append(problems, &cluster.Problem{What: strings.Join(text.Lines(fixed, mentioned), "\n"),
			Next: "To have made anew what cannot be changed: --recreate. What holds data is never made anew"})
	}
	return problems, nil
}
