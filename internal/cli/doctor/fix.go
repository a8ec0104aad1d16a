package doctor

import (
	"context"
	"errors"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/fixes"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
)

func runFix(ctx context.Context, o *doctorOptions) error {
	client, err := o.Connect()
	if err != nil {
		return err
	}
	report, err := kubeflow.Fix(ctx, client, kubeflow.Options{
		Options: fixes.Options{
			Options: o.settings, Allow: o.allowed(), DryRun: bool(o.dryRun), Wait: o.rollout, Now: o.Now,
			Progress: func(line string) { o.Screen().Say("%s", line) },
			Confirm:  o.confirm,
		},
		Checks: o.checks, Render: o.renderOptions(), Notify: o.Notify,
	})
	if report == nil {
		return err
	}
	if errors.Is(err, cli.ErrCancelled) {
		return err
	}
	if err != nil {
		o.partial = report
		return cli.Interrupted(report, err)
	}
	if bool(o.dryRun) && o.output == "table" {
		o.output = "wide"
	}
	if err := o.show(report); err != nil {
		return err
	}
	return o.verdict(report)
}

func (o *doctorOptions) allowed() []doctor.Impact {
	var allowed []doctor.Impact
	asked := o.Screen().Interactive && !o.yes && !bool(o.dryRun) // each fix says that it restarts pods
	if o.allowRestart || asked {
		allowed = append(allowed, doctor.RestartsPods)
	}
	if o.allowDataLoss {
		allowed = append(allowed, doctor.LosesData)
	}
	return allowed
}

// confirm shows the fixes of a round with their diffs and asks for each, unless --yes was given.
func (o *doctorOptions) confirm(ctx context.Context, plan doctor.FixPlan) ([]doctor.Proposal, error) {
	s := o.Screen()
	if o.yes || !s.Interactive {
		if err := s.Plan(plan); err != nil {
			return nil, err
		}
		if o.yes {
			return plan.Apply, nil
		}
		return nil, o.MustAsk("Confirm with --yes, or preview with --dry-run")
	}
	if err := s.Refused(plan); err != nil {
		return nil, err
	}
	var agreed []doctor.Proposal
	for i, proposal := range plan.Apply {
		if err := s.Proposal(i+1, len(plan.Apply), proposal); err != nil {
			return nil, err
		}
		answer, err := s.Ask(ctx, "Apply? [y]es [n]o [a]ll [q]uit:")
		if err != nil {
			return nil, err
		}
		switch strings.ToLower(answer) {
		case "y", "yes":
			agreed = append(agreed, proposal)
		case "a", "all":
			o.yes = true
			return append(agreed, plan.Apply[i:]...), nil
		case "q", "quit":
			return agreed, o.cancelled(agreed)
		}
	}
	return agreed, o.cancelled(agreed)
}

// cancelled is the error of a run in which nothing was agreed to; nil if an earlier round made changes, since then there is a
// result to show.
func (o *doctorOptions) cancelled(agreed []doctor.Proposal) error {
	if len(agreed) > 0 || o.agreed {
		o.agreed = true
		return nil
	}
	return cli.ErrCancelled
}
