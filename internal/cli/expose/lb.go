package expose

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/loadbalancer"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/probe"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

var loadBalancerMethod = exposeMethod{Method: loadbalancer.Method, run: (*exposeOptions).runLoadBalancer, shared: []string{"port", "dry-run"}, groups: []cli.FlagGroup{
	{Title: "Who may connect", Flags: []string{"internal", "source-ranges", "allow-unauthenticated", "allow-default-credentials"}},
	{Title: "The address", Flags: []string{"dns-label", "host", "ip", "ip-resource-group", "annotate"}},
	{Title: "HTTPS", Flags: []string{"tls", "tls-secret", "email"}},
}}

// runLoadBalancer prepares, asks, applies, and shows what answers.
func (o *exposeOptions) runLoadBalancer(ctx context.Context, c *cluster.Client, result *expose.Exposure) error {
	plan, err := kubeflow.PrepareExpose(ctx, c, kubeflow.ExposeOptions{
		Options: o.wanted(), AllowUnauthenticated: o.allowUnauthenticated, AllowDefaultCredentials: o.allowDefaults, DryRun: kubeflow.DryRun(o.dryRun),
	})
	if err != nil {
		return err
	}
	for tries := 1; ; tries++ {
		result.SetTarget(plan.Target)
		result.Notes = plan.Notes
		result.Describe(plan.All())
		exposed, err := o.agreeAndApply(ctx, c, plan, result)
		var changed *kubeflow.PlanChangedError
		switch {
		case errors.As(err, &changed) && tries < 5: // somebody else was at work: there is something else to agree to
			plan = changed.Plan
			continue
		case err != nil || exposed == nil:
			return err
		}
		return o.reached(ctx, c, plan, exposed, result)
	}
}

// agreeAndApply shows the plan, asks and applies it; nil where that was a dry run.
func (o *exposeOptions) agreeAndApply(ctx context.Context, c *cluster.Client, plan *kubeflow.ExposePlan, result *expose.Exposure) (*kubeflow.Exposed, error) {
	unsafe, err := o.agree(ctx, c, plan, result)
	if err != nil {
		return nil, err
	}
	if o.dryRun == "server" {
		err = plan.DryRun(ctx)
	}
	if o.dryRun != "none" {
		if err == nil && result.DryRun {
			o.Screen().Say("%s", dryRan[o.dryRun])
		}
		return nil, err
	}
	return plan.Apply(ctx, kubeflow.ExposeApplyOptions{
		AllowUnauthenticated: unsafe, NoWait: !o.wait, Timeout: o.timeout, Notify: o.Notify,
		Delayed: func(d problem.Error) {
			o.Screen().Say("  %s", d.What)
			if d.Next != "" {
				o.Screen().Paragraph("  " + d.Advice())
			}
		},
	})
}

// dryRan says what a dry run has shown.
var dryRan = map[string]string{
	"client": "Nothing was changed: this is a dry run.",
	"server": "Nothing was changed: this is a dry run. The server would accept it.",
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

// reached says where the dashboard is and what answered there.
func (o *exposeOptions) reached(ctx context.Context, c *cluster.Client, plan *kubeflow.ExposePlan, exposed *kubeflow.Exposed, result *expose.Exposure) error {
	result.URL = exposed.URL
	result.SetTarget(exposed.Target)
	if exposed.Answer == nil {
		if !o.documented() {
			fmt.Fprintln(o.Out, "Its address will be shown by: kubectl kubeflow expose")
		}
		return nil
	}
	answer := *exposed.Answer
	for i := range result.Endpoints {
		if result.Endpoints[i].About == plan.Service {
			result.Endpoints[i].Answer = &answer
		}
	}
	if !o.documented() {
		o.Screen().Reached(exposed.URL, plan.Reach, answer)
	}
	o.trust(exposed.TLS, answer)
	o.leads(ctx, exposed.Target.Host(plan.Service), exposed.Address)
	o.plainly(ctx, c, exposed.URL, answer)
	if result.Gateway != "" && !answer.Healthy() {
		answer.Message += "; the gateway is not ready: " + result.Gateway
	}
	return verdict(exposed.URL, plan.Reach, answer)
}

// plainly says what does not work over plain HTTP, and how to fix it.
func (o *exposeOptions) plainly(ctx context.Context, c *cluster.Client, url string, answer probe.Result) {
	if !strings.HasPrefix(url, "http://") || !answer.Healthy() {
		return
	}
	s := o.Screen()
	s.Paragraph("Plain HTTP: passwords can be read on the way. Encrypt it with: kubectl kubeflow expose --lb --tls")
	findings, _ := kubeflow.PlainHTTP(ctx, c.View()) // the check is on the list: a test holds that
	for _, f := range findings {
		s.Paragraph("Without HTTPS " + f.Message + ". " + f.Consequence)
		s.Paragraph("Encrypt it, or let them send cookies over plain HTTP with: kubectl kubeflow doctor exposure/secure-cookies --fix --allow-restart")
	}
}

func verdict(url string, reach dashboard.Reach, answer probe.Result) error {
	switch {
	case answer.Healthy(), answer.What == probe.Other:
		return nil
	case answer.What == probe.Unhealthy:
		return cli.ErrFound
	case reach != dashboard.Public: // silence is right for those outside
		return nil
	}
	return &problem.Error{Err: context.DeadlineExceeded, What: fmt.Sprintf("%s %s", url, answer.Message),
		Next: "See what is wrong with: kubectl kubeflow doctor"}
}
