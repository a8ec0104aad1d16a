package main

import (
	"context"
	"net"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
)

// secure does the second half of an exposure, for which the address had to be there: it gets the certificate, and when that
// has come lets the gateway serve it. The user has agreed to it with the first half.
func (o *exposeOptions) secure(ctx context.Context, c *cluster.Client, address string) (expose.Target, expose.TLSPlan, error) {
	s := o.screen()
	t, plan, err := o.applyTLS(ctx, c, address, func(p expose.TLSPlan) []cluster.Change { return p.Issue })
	if err != nil {
		return t, plan, err
	}
	if plan.Await != nil && len(plan.Serve) > 0 {
		s.Say("Waiting for the certificate for %s …", plan.Host)
	}
	if err := expose.AwaitCertificate(ctx, c, plan, address, func(d expose.Delay) {
		s.Say("  %s", d.Why)
		if d.Advice != "" {
			s.Paragraph("  " + d.Next())
		}
	}); err != nil {
		return t, plan, err
	}
	return o.applyTLS(ctx, c, address, func(p expose.TLSPlan) []cluster.Change { return p.Serve })
}

// applyTLS looks, decides and makes one part of the changes. When somebody changes an object in between it looks again.
func (o *exposeOptions) applyTLS(ctx context.Context, c *cluster.Client, address string, part func(expose.TLSPlan) []cluster.Change) (expose.Target, expose.TLSPlan, error) {
	for tries := 1; ; tries++ {
		view := c.View()
		t, err := expose.Look(ctx, view)
		if err != nil {
			return t, expose.TLSPlan{}, err
		}
		t.LookTLS(ctx, view, o.wanted())
		plan, err := expose.PlanTLS(t, o.wanted(), address)
		if err == nil {
			err = expose.Apply(ctx, c, part(plan), false)
		}
		if !apierrors.IsConflict(err) || tries == 5 {
			return t, plan, err
		}
	}
}

// leads says when the name under which visitors come does not lead to the address, as far as this computer knows.
func (o *exposeOptions) leads(ctx context.Context, host, address string) {
	if host == "" || net.ParseIP(host) != nil {
		return
	}
	asking, stop := context.WithTimeout(ctx, 3*time.Second)
	defer stop()
	if found, _ := net.DefaultResolver.LookupHost(asking, host); !slices.Contains(found, address) && ctx.Err() == nil {
		o.screen().Paragraph("The name " + host + " does not lead to " + address + " yet, as far as this computer knows. A new name takes some minutes; one of your own zone needs a record of type A.")
	}
}
