package doctor

import (
	"context"
	"fmt"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/fixes"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

func runFix(ctx context.Context, o *doctorOptions) error {
	client, err := o.Connect()
	if err != nil {
		return err
	}
	report, err := kubeflow.Fix(ctx, client, kubeflow.Options{
		Options: fixes.Options{
			Options: o.settings, Allow: o.allowed(), DryRun: o.dryRun, Wait: o.rollout, Now: o.Now,
			Progress: func(line string) { o.Screen().Say("%s", line) },
			Confirm:  o.confirm,
		},
		Checks: o.checks, Render: o.renderOptions(), Notify: o.Notify,
	})
	if report == nil {
		return err
	}
	if err != nil {
		o.partial = report
		return o.interrupted(report, err)
	}
	if o.dryRun && o.output == "table" {
		o.output = "wide"
	}
	if err := o.show(report); err != nil {
		return err
	}
	return o.verdict(report)
}

func (o *doctorOptions) allowed() []doctor.Impact {
	var allowed []doctor.Impact
	if o.allowRestart {
		allowed = append(allowed, doctor.RestartsPods)
	}
	if o.allowDataLoss {
		allowed = append(allowed, doctor.LosesData)
	}
	return allowed
}

// confirm shows the fixes of a round with their diffs and asks, unless --yes was given.
func (o *doctorOptions) confirm(ctx context.Context, plan doctor.FixPlan) (bool, error) {
	s := o.Screen()
	if err := s.Plan(plan); err != nil {
		return false, err
	}
	if o.yes {
		return true, nil
	}
	if !s.Interactive {
		return false, &problem.Error{Usage: true, What: "confirmation required: this is not a terminal", Next: "Confirm with --yes, or preview with --dry-run"}
	}
	return s.Confirm(ctx, "Apply these changes?")
}

// interrupted adds to the error of an interrupted fix how to resume or undo it.
func (o *doctorOptions) interrupted(r *doctor.Report, err error) error {
	for _, t := range r.Fixes {
		if t.Run != "" {
			next := fmt.Sprintf("Resume with the same command, or undo it with: kubectl kubeflow doctor --undo=%s", escape.Word(t.Run))
			return &problem.Error{What: "fix not completed: " + err.Error(), Next: next, Err: err}
		}
	}
	return err
}
