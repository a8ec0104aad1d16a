package main

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
)

// runLoadBalancer looks, decides, asks, applies, waits for the address, and requests the page.
func (o *exposeOptions) runLoadBalancer(ctx context.Context, c *cluster.Client, result *expose.Exposure) error {
	result.Method = "lb"
	t, plan, err := o.applyPlan(ctx, c, result)
	if err != nil {
		return err
	}
	if result.DryRun {
		o.screen().Say("%s", dryRuns[o.dryRun])
		return nil
	}
	if o.wait {
		return o.reach(ctx, c, t, plan, result)
	}
	result.Found(t)
	if !o.documented() {
		fmt.Fprintln(o.Out, "Its address will be shown by: kubectl kubeflow expose")
	}
	return nil
}

// dryRuns say what a dry run has shown.
var dryRuns = map[string]string{
	"client": "Nothing was changed: this is a dry run.",
	"server": "Nothing was changed: this is a dry run. The server would accept it.",
}

// applyPlan decides and applies. When somebody changes the Service in between it looks again,
// and asks again only when what is to be done has become something else.
func (o *exposeOptions) applyPlan(ctx context.Context, c *cluster.Client, result *expose.Exposure) (expose.Target, expose.Plan, error) {
	var agreed *expose.Plan
	for tries := 1; ; tries++ {
		view := c.View()
		t, err := expose.Look(ctx, view)
		if err != nil {
			return t, expose.Plan{}, err
		}
		t = t.WithTLS(ctx, view, o.wanted())
		plan, err := expose.PlanLoadBalancer(t, o.wanted())
		if err != nil {
			return t, plan, err
		}
		result.Found(t)
		result.Notes = plan.Notes
		if agreed == nil || !agreed.Same(plan) {
			result.Describe(plan.All())
			if err := o.agree(ctx, c, t, plan, result); err != nil {
				return t, plan, err
			}
		}
		agreed = &plan
		if o.dryRun == "client" {
			return t, plan, nil
		}
		changes := plan.Changes
		if o.dryRun == "server" {
			changes = plan.All()
		}
		err = expose.Apply(ctx, c, changes, o.dryRun == "server")
		if !apierrors.IsConflict(err) || tries == 5 {
			return t, plan, err
		}
	}
}

// wanted returns what was asked for: a flag that was not typed leaves things as they are.
func (o *exposeOptions) wanted() expose.Options {
	wanted := expose.Options{Port: int32(o.port)}
	if o.given("internal") {
		wanted.Internal = &o.internal
	}
	if o.given("source-ranges") {
		ranges, _ := expose.ParseRanges(o.sourceRanges) // checked already
		wanted.SourceRanges = &ranges
	}
	for flag, of := range map[string]struct {
		typed *string
		to    **string
	}{
		"dns-label": {&o.dnsLabel, &wanted.DNSLabel}, "ip": {&o.ip, &wanted.IP},
		"ip-resource-group": {&o.ipGroup, &wanted.IPGroup}, "host": {&o.host, &wanted.Host},
	} {
		if o.given(flag) {
			*of.to = of.typed
		}
	}
	wanted.Annotations, _ = expose.ParseAnnotations(o.annotate) // checked already
	switch {
	case o.given("tls-secret"):
		wanted.TLS = &expose.TLS{From: expose.FromSecret, Secret: o.tlsSecret}
	case o.given("tls"):
		wanted.TLS = &expose.TLS{From: o.tls, Email: o.email}
	}
	return wanted
}

// reach waits for the address and for an answer, and says what answered.
func (o *exposeOptions) reach(ctx context.Context, c *cluster.Client, t expose.Target, plan expose.Plan, result *expose.Exposure) error {
	waiting, stop := context.WithTimeout(ctx, o.timeout)
	defer stop()
	s := o.screen()
	s.Say("Waiting for the address of %s ...", plan.Service)
	door, err := expose.Await(waiting, c, t, plan, func(d expose.Delay) { s.Say("  %s", d.Why) })
	if err != nil {
		return err
	}
	secured, err := expose.Secure(waiting, c, o.wanted(), door.Address, func(d expose.Delay) {
		s.Say("  %s", d.Why)
		if d.Advice != "" {
			s.Paragraph("  " + d.Next())
		}
	})
	if err != nil {
		return err
	}
	door.Roots = secured.Authority(ctx, c.View())
	after, err := expose.Look(ctx, c.View())
	if err != nil {
		return err
	}
	door.URL = after.URL(plan.Service)
	result.URL = door.URL
	s.Say("Asking %s ...", door.URL)
	answer := expose.AskUntil(waiting, door, patience(plan.Reach))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	result.Found(after)
	for i := range result.Endpoints {
		if result.Endpoints[i].About == plan.Service {
			result.Endpoints[i].Answer = &answer
		}
	}
	if !o.documented() {
		s.Reached(door.URL, plan.Reach, answer)
	}
	o.trust(secured, answer)
	o.leads(ctx, after.Host(plan.Service), door.Address)
	o.plainly(ctx, c, door.URL, answer)
	if result.Gateway != "" && !answer.Well() {
		answer.Says += "; the gateway is not ready: " + result.Gateway
	}
	return verdict(door.URL, plan.Reach, answer)
}

// patience is how long an address may stay silent. Where this computer may well be outside, silence is soon enough of an answer.
func patience(r dashboard.Reach) time.Duration {
	if r == dashboard.Public {
		return 3 * time.Minute
	}
	return 15 * time.Second
}

func verdict(url string, reach dashboard.Reach, answer expose.Answer) error {
	switch {
	case answer.Well(), answer.What == expose.Other:
		return nil
	case answer.What == expose.Unwell:
		return errFound
	case reach != dashboard.Public: // silence is right for those outside
		return nil
	}
	return &cluster.Problem{Err: context.DeadlineExceeded, What: fmt.Sprintf("%s %s", url, answer.Says),
		Next: "See what is wrong with: kubectl kubeflow doctor"}
}
