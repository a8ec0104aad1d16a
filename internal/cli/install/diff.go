package install

import (
	"context"
	"fmt"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A dryRun is what -o json and -o yaml print of a plan that the server was asked about.
type dryRun struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Context    string         `json:"context,omitempty"`
	Server     string         `json:"server"`
	Name       string         `json:"name"`
	From       string         `json:"from,omitempty"` // the release that is installed
	Release    string         `json:"release,omitempty"`
	Downgrade  bool           `json:"downgrade,omitempty"`
	Steps      []plan.Step    `json:"steps"`
	Objects    []plan.Verdict `json:"objects"`
}

// showVerdicts prints what the server says it would do: as differences, or as one line for each object.
func (o *installOptions) showVerdicts(ctx context.Context, client *cluster.Client, p *kubeflow.InstallPlan) error {
	verdicts, err := p.DryRun(ctx)
	if err != nil {
		return err
	}
	o.told = true
	count := map[plan.Action]int{}
	for _, v := range verdicts {
		count[v.Action]++
	}
	switch o.output {
	case "json", "yaml":
		steps := p.Steps()
		if steps == nil {
			steps = []plan.Step{}
		}
		err = cli.PrintDocument(o.Out, o.output, dryRun{APIVersion: cli.ResultVersion, Kind: "DryRun", Context: client.Context, Server: client.Server(),
			Name: p.Name, From: p.InstalledRelease(), Release: p.Release, Downgrade: p.Downgrade(), Steps: steps, Objects: verdicts})
	default:
		o.printVerdicts(verdicts)
		o.sayPlan(p)
		o.Screen().Say("The server says: %d to create, %d to change, %d to make anew, %d unchanged, %d to delete, %d it cannot judge yet, %d refused. Nothing was changed (dry run).",
			count[plan.Create], count[plan.Change], count[plan.Recreate], count[plan.Unchanged], count[plan.Delete], count[plan.Unknown], count[plan.Rejected])
	}
	return o.verdict(err, p, count, len(verdicts))
}

// verdict is how a dry run ends: with what would stop an install, else with whether something would change.
func (o *installOptions) verdict(err error, p *kubeflow.InstallPlan, count map[plan.Action]int, all int) error {
	blocked := count[plan.Recreate] > 0 && !o.leave.recreate
	switch {
	case err != nil:
		return err
	case count[plan.Rejected] > 0:
		return &problem.Error{What: fmt.Sprintf("the server refuses %s", text.Plural(count[plan.Rejected], "object")), Next: "Mend them first: an install would stop at them"}
	case blocked && !o.diff:
		return &problem.Error{What: text.Plural(count[plan.Recreate], "object") + " cannot be changed in place", Next: "To have them made anew: --recreate. What holds data is never made anew"}
	}
	if blocked && o.output == "" {
		o.Screen().Say("%s cannot be changed in place: an install needs --recreate", text.Plural(count[plan.Recreate], "object"))
	}
	if p.Downgrade() && !o.leave.downgrade && o.output == "" {
		o.Screen().Say("Kubeflow %s is older than what is installed: an install needs --allow-downgrade, or a yes at the terminal", p.Release)
	}
	if o.diff && all > count[plan.Unchanged]+count[plan.Keep] {
		return cli.ErrFound
	}
	return nil
}

func (o *installOptions) printVerdicts(verdicts []plan.Verdict) {
	for _, v := range verdicts {
		if v.Action == plan.Unchanged {
			continue
		}
		if o.output == "name" {
			fmt.Fprintln(o.Out, v.Ref)
			continue
		}
		line := v.Ref.String() + " " + string(v.Action)
		if v.Adopts {
			line += ", taken over"
		}
		if v.Reason != "" {
			line += ": " + v.Reason
		}
		if len(v.Drops) > 0 {
			line += "; it loses what who applied it before set: " + strings.Join(v.Drops, " ")
		}
		if !o.diff || v.Diff == "" || v.Reason != "" || v.Adopts {
			fmt.Fprintln(o.Out, line)
		}
		if o.diff {
			fmt.Fprint(o.Out, v.Diff)
		}
	}
}
