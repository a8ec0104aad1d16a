package main

import (
	"context"
	"fmt"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
)

// agree shows what is going to change, and returns only when the user wants it.
func (o *exposeOptions) agree(ctx context.Context, c *cluster.Client, t expose.Target, plan expose.Plan, result *expose.Exposure) error {
	s := o.screen()
	if len(plan.All()) == 0 {
		s.Say("Nothing to change: %s is as it should be.", plan.Service)
		if plan.Reach == dashboard.Public && !t.Authentication.Proven {
			s.Paragraph("Warning: it is public, and " + t.Authentication.Reason + ". Limit it with --source-ranges or --internal.")
		}
		return nil
	}
	refused, unsafe := o.refused(ctx, c.View(), t, plan)
	if refused != nil && !(unsafe && s.Interactive) {
		return refused
	}
	s.ExposePlan(plan, t, c.Context, c.Server())
	if o.dryRun != "none" {
		result.DryRun = true
		return nil
	}
	if unsafe {
		return o.insist(ctx, t)
	}
	return o.mayChange(ctx, "Make these changes?")
}

// refused says why the plan is not carried out, nil when it may be. unsafe tells that it is for want of a sign-in, which
// somebody at a terminal may want all the same. A dry run shows everything.
func (o *exposeOptions) refused(ctx context.Context, view cluster.View, t expose.Target, plan expose.Plan) (why *usageError, unsafe bool) {
	switch {
	case o.dryRun != "none":
		return nil, false
	case plan.Unsafe(t) && !o.allowUnauthenticated:
		return notPublic(t), true
	case plan.Reach == dashboard.Public && t.Authentication.Proven && !o.allowDefaults:
		return notWithDefaults(ctx, view), false
	}
	return nil, false
}

// notPublic says why nothing was made public, and what to type instead.
func notPublic(t expose.Target) *usageError {
	return &usageError{
		What: fmt.Sprintf("not made public: anybody on the internet could run programs on this cluster, for %s", t.Authentication.Reason),
		Next: "Limit who may connect with --source-ranges CIDR,... or stay inside the virtual network with --internal; --allow-unauthenticated makes it public all the same",
	}
}

// insist makes a dashboard without sign-in public only when the user says so in so many letters.
func (o *exposeOptions) insist(ctx context.Context, t expose.Target) error {
	s := o.screen()
	s.Paragraph("Anybody on the internet could run programs on this cluster, for " + t.Authentication.Reason + ".")
	s.Paragraph(notPublic(t).Next + ".")
	typed, err := s.Ask(ctx, "Type public to go on:")
	if err == nil && typed != "public" {
		err = &usageError{What: "nothing changed: the answer was not public", Next: "Run the same command again with --source-ranges or --internal"}
	}
	return err
}

// mayChange asks before the cluster is changed, or refuses where there is nobody to ask.
func (o *exposeOptions) mayChange(ctx context.Context, question string) error {
	s := o.screen()
	if o.yes {
		return nil
	}
	if !s.Interactive {
		return &usageError{What: "nothing changed: there is no terminal to ask on", Next: "Say yes with --yes, or look without changing with --dry-run=client"}
	}
	yes, err := s.Confirm(ctx, question)
	if err == nil && !yes {
		err = &usageError{What: "nothing changed: the answer was no", Next: "Run the same command again when you want it"}
	}
	return err
}
