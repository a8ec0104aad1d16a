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

// A dryRun is the -o json and -o yaml document of a server-side dry run.
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

// printDryRun prints the result of a server-side dry run: as differences, or as one line per object.
func (o *installOptions) printDryRun(ctx context.Context, client *cluster.Client, p *kubeflow.InstallPlan) error {
	verdicts, err := p.DryRun(ctx)
	if err != nil {
		return err
	}
	o.printed = true
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
		o.printPlan(o.ErrOut, p, whereTo(client))
		o.Screen().Say("Server-side dry run: %s. Nothing was changed.", verdictCounts(count))
	}
	return o.verdict(err, p, count, len(verdicts))
}

// verdictCounts says how many objects the server would create, change and so on: what there is none of is left out.
func verdictCounts(count map[plan.Action]int) string {
	var parts []string
	for _, c := range []struct {
		action plan.Action
		words  string
	}{
		{plan.Create, "to create"}, {plan.Change, "to change"}, {plan.Recreate, "to recreate"}, {plan.Unchanged, "unchanged"},
		{plan.Delete, "to delete"}, {plan.Unknown, "that the server cannot judge yet"}, {plan.Rejected, "rejected"},
	} {
		if n := count[c.action]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, c.words))
		}
	}
	return strings.Join(parts, ", ")
}

// verdict returns the error of a dry run: that the server rejects new objects, or ErrFound if --diff found differences.
func (o *installOptions) verdict(err error, p *kubeflow.InstallPlan, count map[plan.Action]int, all int) error {
	switch {
	case err != nil:
		return err
	case count[plan.Rejected] > 0:
		return &problem.Error{What: fmt.Sprintf("the server rejects %s", text.Plural(count[plan.Rejected], "object")), Next: "Fix them first: they would block an install"}
	}
	if p.Downgrade() && !o.allow.downgrade && o.output == "" {
		o.Screen().Say("Kubeflow %s is older than the installed release: an install requires --allow-downgrade, or confirmation at the terminal", p.Release)
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
			line += ", adopted"
		}
		if v.Reason != "" {
			line += ": " + v.Reason
		}
		if len(v.Drops) > 0 {
			line += "; drops fields set by its previous manager: " + strings.Join(v.Drops, " ")
		}
		if !o.diff || v.Diff == "" || v.Reason != "" || v.Adopts {
			fmt.Fprintln(o.Out, line)
		}
		if o.diff {
			fmt.Fprint(o.Out, v.Diff)
		}
	}
}
