package expose

import (
	"context"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
)

// confirm shows the plan and asks for confirmation. unsafe reports whether the user agreed to a public address without
// authentication, which takes a terminal.
func (o *exposeOptions) confirm(ctx context.Context, c *cluster.Client, plan *kubeflow.ExposePlan, result *expose.Exposure) (unsafe bool, err error) {
	s := o.Screen()
	t := plan.Target
	if len(plan.All()) == 0 {
		if plan.Refused != nil {
			return false, plan.Refused
		}
		s.Say("Nothing to change: %s is up to date.", plan.Service)
		if plan.Reach == dashboard.Public && !t.Authentication.Proven {
			s.Paragraph("Warning: it is public, and " + t.Authentication.Reason + ". Restrict it with --source-ranges or --internal.")
		}
		return false, nil
	}
	if plan.Refused != nil && !(plan.Refused.Unauthenticated && s.Interactive) {
		return false, plan.Refused
	}
	s.ExposePlan(plan.Plan, t, c.Context, c.Server(), o.dryRun != "none" || o.Verbosity > 0)
	if o.dryRun != "none" {
		result.DryRun = true
		return false, nil
	}
	if plan.Refused != nil {
		return true, o.confirmUnauthenticated(ctx, plan)
	}
	return false, o.Agree(ctx, o.yes, "Apply these changes?", "Confirm with --yes, or preview with --dry-run")
}

// confirmUnauthenticated makes the user type a word before a dashboard without authentication becomes public.
func (o *exposeOptions) confirmUnauthenticated(ctx context.Context, plan *kubeflow.ExposePlan) error {
	s := o.Screen()
	s.Paragraph("Any client on the internet could run containers on this cluster, because " + plan.Target.Authentication.Reason + ".")
	s.Paragraph(plan.Refused.Problem.Next + ".")
	typed, err := s.Ask(ctx, "Type public to continue:")
	if err == nil && typed != "public" {
		err = cli.ErrCancelled
	}
	return err
}
