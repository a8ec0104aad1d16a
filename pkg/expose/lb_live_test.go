package expose_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/loadbalancer"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/probe"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// answers is the expected probe result of each shape.
var answers = map[string]string{"1.2": probe.Dashboard, "26.03": probe.SignInPage}

// probeBriefly probes with a short timeout, for addresses that are not expected to answer.
func probeBriefly(ctx context.Context, url string) probe.Result {
	ctx, stop := context.WithTimeout(ctx, 3*time.Second)
	defer stop()
	return probe.Do(ctx, probe.Request{URL: url})
}

// probeUntilNoAnswer repeats the probe while the address still answers: a policy engine lags behind the API server.
func probeUntilNoAnswer(ctx context.Context, url string) probe.Result {
	answer := probeBriefly(ctx, url)
	for deadline := time.Now().Add(20 * time.Second); answer.What != probe.NoAnswer && time.Now().Before(deadline); {
		time.Sleep(100 * time.Millisecond)
		answer = probeBriefly(ctx, url)
	}
	return answer
}

func TestAnAddressAnswersAndIsRemoved(t *testing.T) {
	onAddresses(t, func(t *testing.T, ctx context.Context, l *live) {
		before := l.state(t, ctx)
		url := l.expose(t, ctx, expose.Options{})
		if answer := probe.Until(ctx, probe.Request{URL: url}, 20*time.Second); answer.What != answers[l.shape] {
			t.Errorf("%s: %+v", url, answer)
		}
		for _, e := range expose.Endpoints(l.look(t, ctx)) {
			if e.Via == "LoadBalancer" && (e.URL != url || !e.CreatedByExpose || len(e.Blocked) > 0) {
				t.Errorf("the endpoint that was made is not found again: %+v", e)
			}
		}
		l.remove(t, ctx)
		if diff := cmp.Diff(before, l.state(t, ctx)); diff != "" {
			t.Errorf("a removal leaves or changes something (-before +after):\n%s", diff)
		}
		if answer := probeUntilNoAnswer(ctx, url); answer.What != probe.NoAnswer {
			t.Errorf("the address still answers: %+v", answer)
		}
	})
}

func TestASecondRunChangesNothing(t *testing.T) {
	onAddresses(t, func(t *testing.T, ctx context.Context, l *live) {
		yes := true
		l.expose(t, ctx, expose.Options{Internal: &yes})
		before := l.state(t, ctx)
		for _, o := range []expose.Options{{}, {Internal: &yes}} {
			if _, plan := l.plan(t, ctx, o); len(plan.Changes) > 0 {
				t.Errorf("%+v plans %d changes", o, len(plan.Changes))
			}
			l.expose(t, ctx, o)
		}
		if diff := cmp.Diff(before, l.state(t, ctx)); diff != "" {
			t.Errorf("something was written (-before +after):\n%s", diff)
		}
	})
}

func TestAnInternalAddressReplacesThePublicOne(t *testing.T) {
	onAddresses(t, func(t *testing.T, ctx context.Context, l *live) {
		yes := true
		public := l.expose(t, ctx, expose.Options{})
		inside := l.expose(t, ctx, expose.Options{Internal: &yes})
		if inside == public {
			t.Errorf("%s is reported before the address has changed", public)
		}
		if answer := probe.Until(ctx, probe.Request{URL: inside}, 20*time.Second); !answer.Healthy() {
			t.Errorf("%+v", answer)
		}
	})
}

func TestOnlySourceRangesCanConnect(t *testing.T) {
	onAddresses(t, func(t *testing.T, ctx context.Context, l *live) {
		here, elsewhere := []string{"127.0.0.0/8"}, []string{"203.0.113.0/24"}
		url := l.expose(t, ctx, expose.Options{SourceRanges: &elsewhere})
		if answer := probeUntilNoAnswer(ctx, url); answer.What != probe.NoAnswer {
			t.Errorf("a client from outside the ranges can connect: %+v", answer)
		}
		service := l.service(t, ctx)
		l.expose(t, ctx, expose.Options{SourceRanges: &here})
		if answer := probe.Until(ctx, probe.Request{URL: url}, 20*time.Second); answer.What != answers[l.shape] {
			t.Errorf("a client from the ranges cannot connect: %+v", answer)
		}
		want := cluster.Edit(service, func(o *unstructured.Unstructured) {
			_ = unstructured.SetNestedStringSlice(o.Object, here, "spec", "loadBalancerSourceRanges")
		}).After
		if diff := cluster.Diff(want, l.service(t, ctx)); diff != "" {
			t.Errorf("more than the source ranges changed:\n%s", diff)
		}
	})
}

func TestWithoutTheAllowPolicyConnectionsAreBlocked(t *testing.T) {
	onAddresses(t, func(t *testing.T, ctx context.Context, l *live) {
		if l.shape != "26.03" {
			if _, plan := l.plan(t, ctx, expose.Options{}); len(plan.Changes) != 1 {
				t.Errorf("no policy blocks, and yet %d changes are planned", len(plan.Changes))
			}
			return
		}
		url := l.expose(t, ctx, expose.Options{})
		l.kubectl(t, "", "delete", "networkpolicy", "-n=istio-system", dashboard.AllowName)
		if answer := probeUntilNoAnswer(ctx, url); answer.What != probe.NoAnswer {
			t.Errorf("the policies do not block: %+v", answer)
		}
		l.expose(t, ctx, expose.Options{})
		if answer := probe.Until(ctx, probe.Request{URL: url}, 20*time.Second); !answer.Healthy() {
			t.Errorf("a second run does not restore the policy: %+v", answer)
		}
	})
}

func TestAManuallyCreatedServiceIsFixedAndKept(t *testing.T) {
	onAddresses(t, func(t *testing.T, ctx context.Context, l *live) {
		l.apply(t, `{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "kubeflowdashboard-lb", "namespace": "istio-system"},
			"spec": {"type": "LoadBalancer", "selector": {"app": "istio-ingressgateway", "istio": "ingressgateway"},
			"ports": [{"name": "http", "port": 80}, {"name": "https", "port": 443}]}}`)
		for began := time.Now(); time.Since(began) < 20*time.Second && len(kube.Items(l.service(t, ctx).Object, "status", "loadBalancer", "ingress")) == 0; {
			time.Sleep(100 * time.Millisecond) // a plan is refused if the Service gets its address after it was made
		}
		url := l.expose(t, ctx, expose.Options{})
		if answer := probe.Until(ctx, probe.Request{URL: url}, 20*time.Second); answer.What != answers[l.shape] {
			t.Errorf("%+v", answer)
		}
		l.remove(t, ctx)
		if left := l.look(t, ctx); l.service(t, ctx) == nil || !left.Inventory.Empty() {
			t.Errorf("a removal deleted a Service that expose did not create")
		}
	})
}

func TestAnInterruptedRunIsCompletedByTheNext(t *testing.T) {
	onAddresses(t, func(t *testing.T, ctx context.Context, l *live) {
		_, plan := l.plan(t, ctx, expose.Options{})
		for done := range plan.Changes {
			if err := expose.Apply(ctx, l.client, plan.Changes[:done], false); err != nil {
				t.Fatal(err)
			}
			if _, rest := l.plan(t, ctx, expose.Options{}); len(rest.Changes) != len(plan.Changes)-done {
				t.Errorf("after %d of %d changes the next run plans %d", done, len(plan.Changes), len(rest.Changes))
			}
			l.remove(t, ctx)
			if left := l.look(t, ctx).Inventory; !left.Empty() {
				t.Errorf("after %d of %d changes a removal leaves %d objects", done, len(plan.Changes), len(left.Objects))
			}
		}
		url := l.expose(t, ctx, expose.Options{})
		if answer := probe.Until(ctx, probe.Request{URL: url}, 20*time.Second); !answer.Healthy() {
			t.Errorf("%+v", answer)
		}
	})
}

func TestAConcurrentChangeIsNotLost(t *testing.T) {
	onAddresses(t, func(t *testing.T, ctx context.Context, l *live) {
		l.expose(t, ctx, expose.Options{})
		ranges := []string{"203.0.113.0/24"}
		_, plan := l.plan(t, ctx, expose.Options{SourceRanges: &ranges})
		l.kubectl(t, "", "annotate", "service", "-n=istio-system", dashboard.LoadBalancerName, "owner=team-a")
		if err := expose.Apply(ctx, l.client, plan.Changes, false); !apierrors.IsConflict(err) {
			t.Errorf("the write is not refused: %v", err)
		}
		_, again := l.plan(t, ctx, expose.Options{SourceRanges: &ranges})
		if !plan.Covers(again) {
			t.Error("the same changes are not recognised as covered")
		}
		if err := expose.Apply(ctx, l.client, again.Changes, false); err != nil {
			t.Fatal(err)
		}
		if got := l.service(t, ctx).GetAnnotations()["owner"]; got != "team-a" {
			t.Errorf("the other change is lost: %q", got)
		}
	})
}

func TestAMissingAddressIsExplained(t *testing.T) {
	onAddresses(t, func(t *testing.T, ctx context.Context, l *live) {
		target, plan := l.plan(t, ctx, expose.Options{})
		ended, stop := context.WithCancel(ctx)
		stop()
		_, err := loadbalancer.Await(ended, l.client, target.Target, plan, func(problem.Error) {})
		if err == nil || !strings.Contains(err.Error(), "has no address yet") {
			t.Errorf("%v", err)
		}
	})
}
