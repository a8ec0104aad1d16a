package expose

import (
	"context"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// agree shows what is going to change, and returns only when the user wants it. unsafe tells that this is a public address
// without authentication, which a person at a terminal may want all the same.
func (o *exposeOptions) agree(ctx context.Context, c *cluster.Client, plan *kubeflow.ExposePlan, result *expose.Exposure) (unsafe bool, err error) {
	s := o.Screen()
	t := plan.Target
	if len(plan.All()) == 0 {
		s.Say("Nothing to change: %s is as it should be.", plan.Service)
		if plan.Reach == dashboard.Public && !t.Authentication.Proven {
			s.Paragraph("Warning: it is public, and " + t.Authentication.Reason + ". Limit it with --source-ranges or --internal.")
		}
		return false, nil
	}
	if plan.Refused != nil && !(plan.Refused.Unauthenticated && s.Interactive) {
		return false, plan.Refused
	}
	s.ExposePlan(plan.Plan, t, c.Context, c.Server())
	if o.dryRun != "none" {
		result.DryRun = true
		return false, nil
	}
	if plan.Refused != nil {
		return true, o.insist(ctx, plan)
	}
	return false, o.mayChange(ctx, "Make these changes?")
}

// insist makes a dashboard without authentication public only when the user says so in so many letters.
func (o *exposeOptions) insist(ctx context.Context, plan *kubeflow.ExposePlan) error {
	s := o.Screen()
	s.Paragraph("Any client on the internet could run containers on this cluster, because " + plan.Target.Authentication.Reason + ".")
	s.Paragraph(plan.Refused.Problem.Next + ".")
	typed, err := s.Ask(ctx, "Type public to go on:")
	if err == nil && typed != "public" {
		err = &problem.Error{Usage: true, What: "nothing changed: the answer was not public", Next: "Run the same command again with --source-ranges or --internal"}
	}
	return err
}

// mayChange asks before the cluster is changed, or refuses where there is nobody to ask.
func (o *exposeOptions) mayChange(ctx context.Context, question string) error {
	s := o.Screen()
	if o.yes {
		return nil
	}
	if !s.Interactive {
		return &problem.Error{Usage: true, What: "nothing changed: there is no terminal to ask on", Next: "Say yes with --yes, or look without changing with --dry-run=client"}
	}
	yes, err := s.Confirm(ctx, question)
	if err == nil && !yes {
		err = &problem.Error{Usage: true, What: "nothing changed: the answer was no", Next: "Run the same command again when you want it"}
	}
	return err
}
