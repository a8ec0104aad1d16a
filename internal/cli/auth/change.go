package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/fixes"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

const (
	dryRunUsage      = "preview without changing anything; `MODE` is client or server, which are the same here"
	confirmOrPreview = "Confirm with --yes, or preview with --dry-run"
)

// change are the flags of a command that makes a fix.
type change struct {
	*cli.Deps
	yes     bool
	dryRun  cli.DryRun
	timeout time.Duration
}

// inputTaken is the error of a flag that reads standard input, which then has no answer to a question.
func inputTaken(flag string) error {
	return &problem.Error{Usage: true, What: flag + " - reads standard input, so that a confirmation cannot be asked for", Next: confirmOrPreview}
}

func (o *change) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask for confirmation")
	cli.AddDryRun(cmd, f, &o.dryRun, dryRunUsage)
	f.DurationVar(&o.timeout, "timeout", 5*time.Minute, "time out after this `DURATION` if restarted pods are not ready")
}

// options are those of a fix that asks once.
func (o *change) options() kubeflow.Options {
	return kubeflow.Options{
		Options: fixes.Options{
			DryRun: bool(o.dryRun), Wait: o.timeout, Now: o.Now,
			Progress: func(line string) { o.Screen().Say("%s", line) },
			Confirm:  o.confirm,
		},
		Notify: o.Notify,
	}
}

func (o *change) confirm(ctx context.Context, plan doctor.FixPlan) ([]doctor.Proposal, error) {
	if err := o.Screen().Plan(plan); err != nil {
		return nil, err
	}
	return plan.Apply, o.Agree(ctx, o.yes, "Change it?", confirmOrPreview)
}

// result returns the error of a fix that was not made, and shows the plan of a dry run.
func (o *change) result(report *doctor.Report, err error, what string) error {
	if err != nil && report != nil && !errors.Is(err, cli.ErrCancelled) {
		return cli.Interrupted(report, err)
	}
	if err != nil {
		return err
	}
	for _, c := range report.Checks {
		if c.Status == doctor.Unknown || c.Status == doctor.NotApplicable {
			return &problem.Error{What: fmt.Sprintf("%s was not changed: %s", what, c.Reason), Next: "Nothing was changed"}
		}
	}
	if o.dryRun {
		plan := doctor.PlanFixes(report, []doctor.Impact{doctor.RestartsPods})
		if len(plan.Apply) == 0 {
			o.Screen().Say("Nothing would be changed")
			return nil
		}
		return o.Screen().Plan(plan)
	}
	for _, f := range report.Fixes {
		if f.Outcome != doctor.Fixed {
			return &problem.Error{What: fmt.Sprintf("%s was not changed: %s", what, f.Reason), Next: "See what the doctor says: kubectl kubeflow doctor auth"}
		}
	}
	return nil
}
