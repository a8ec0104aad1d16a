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
	{Title: "Access", Flags: []string{"internal", "source-ranges", "allow-unauthenticated", "allow-default-credentials"}},
	{Title: "Address", Flags: []string{"dns-label", "host", "ip", "ip-resource-group", "annotate"}},
	{Title: "HTTPS", Flags: []string{"tls", "tls-secret", "email"}},
}}

// runLoadBalancer prepares the plan, asks for confirmation, applies it, and shows the result.
func (o *exposeOptions) runLoadBalancer(ctx context.Context, c *cluster.Client, result *expose.Exposure) error {
	plan, err := kubeflow.PrepareExpose(ctx, c, kubeflow.ExposeOptions{
		Options: o.exposeOptions(), AllowUnauthenticated: o.allowUnauthenticated, AllowDefaultCredentials: o.allowDefaults, DryRun: kubeflow.DryRun(o.dryRun),
	})
	if err != nil {
		return err
	}
	for tries := 1; ; tries++ {
		result.SetTarget(plan.Target)
		result.Notes = plan.Notes
		result.Describe(plan.All())
		exposed, err := o.confirmAndApply(ctx, c, plan, result)
		var changed *kubeflow.PlanChangedError
		switch {
		case errors.As(err, &changed) && tries < 5: // another client has changed the cluster: confirm the new plan
			plan = changed.Plan
			continue
		case err != nil || exposed == nil:
			return err
		}
		return o.reached(ctx, c, plan, exposed, result)
	}
}

// confirmAndApply shows the plan, asks for confirmation and applies it. The result of a dry run is nil.
func (o *exposeOptions) confirmAndApply(ctx context.Context, c *cluster.Client, plan *kubeflow.ExposePlan, result *expose.Exposure) (*kubeflow.Exposed, error) {
	unsafe, err := o.confirm(ctx, c, plan, result)
	if err != nil {
		return nil, err
	}
	if o.dryRun == "server" {
		err = plan.DryRun(ctx)
	}
	if o.dryRun != "none" {
		if err == nil && result.DryRun {
			o.Screen().Say("%s", dryRunResult[o.dryRun])
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

// dryRunResult is the last line of a dry run.
var dryRunResult = map[string]string{
	"client": "Nothing was changed (dry run).",
	"server": "The server accepts the changes. Nothing was changed (dry run).",
}

// exposeOptions returns the options that the flags set. A flag that was not set leaves things as they are.
func (o *exposeOptions) exposeOptions() expose.Options {
	options := expose.Options{Port: int32(o.port)}
	if o.changed("internal") {
		options.Internal = &o.internal
	}
	if o.changed("source-ranges") {
		ranges, _ := expose.ParseRanges(o.sourceRanges) // checked already
		options.SourceRanges = &ranges
	}
	for flag, of := range map[string]struct {
		value *string
		to    **string
	}{
		"dns-label": {&o.dnsLabel, &options.DNSLabel}, "ip": {&o.ip, &options.IP},
		"ip-resource-group": {&o.ipGroup, &options.IPGroup}, "host": {&o.host, &options.Host},
	} {
		if o.changed(flag) {
			*of.to = of.value
		}
	}
	options.Annotations, _ = expose.ParseAnnotations(o.annotate) // checked already
	switch {
	case o.changed("tls-secret"):
		options.TLS = &expose.TLS{From: expose.FromSecret, Secret: o.tlsSecret}
	case o.changed("tls"):
		options.TLS = &expose.TLS{From: o.tls, Email: o.email}
	}
	return options
}

// reached shows the address of the dashboard and the result of the probe.
func (o *exposeOptions) reached(ctx context.Context, c *cluster.Client, plan *kubeflow.ExposePlan, exposed *kubeflow.Exposed, result *expose.Exposure) error {
	result.URL = exposed.URL
	result.SetTarget(exposed.Target)
	if exposed.Answer == nil {
		if !o.documented() {
			fmt.Fprintln(o.Out, "To see the address: kubectl kubeflow expose")
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
	o.explainTrust(exposed.TLS, answer)
	o.checkDNS(ctx, exposed.Target.Host(plan.Service), exposed.Address)
	o.warnPlainHTTP(ctx, c, exposed.URL, answer)
	if result.Gateway != "" && !answer.Healthy() {
		answer.Message += "; the gateway is not ready: " + result.Gateway
	}
	return verdict(exposed.URL, plan.Reach, answer)
}

// warnPlainHTTP reports what does not work over plain HTTP, and how to fix it.
func (o *exposeOptions) warnPlainHTTP(ctx context.Context, c *cluster.Client, url string, answer probe.Result) {
	if !strings.HasPrefix(url, "http://") || !answer.Healthy() {
		return
	}
	s := o.Screen()
	s.Paragraph("Plain HTTP: passwords are sent unencrypted. Enable HTTPS with: kubectl kubeflow expose --lb --tls")
	findings, _ := kubeflow.PlainHTTP(ctx, c.View()) // the check is on the list: a test holds that
	for _, f := range findings {
		s.Paragraph("Without HTTPS " + f.Message + ". " + f.Consequence)
		s.Paragraph("Enable HTTPS, or allow cookies over plain HTTP with: kubectl kubeflow doctor exposure/secure-cookies --fix --allow-restart")
	}
}

func verdict(url string, reach dashboard.Reach, answer probe.Result) error {
	switch {
	case answer.Healthy(), answer.What == probe.Other:
		return nil
	case answer.What == probe.Unhealthy:
		return cli.ErrFound
	case reach != dashboard.Public: // clients outside get no response, as intended
		return nil
	}
	return &problem.Error{Err: context.DeadlineExceeded, What: fmt.Sprintf("%s %s", url, answer.Message),
		Next: "To find the cause: kubectl kubeflow doctor"}
}
