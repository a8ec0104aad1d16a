package expose

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

func TestHTTPSInterruptedAnywhereIsFinishedOrTakenBack(t *testing.T) {
	onAddresses(t, func(t *testing.T, ctx context.Context, l *live) {
		gateway := l.gateway(t, ctx)
		o := Options{TLS: &TLS{From: SelfSigned}}
		_, plan := l.plan(t, ctx, o)
		all := plan.All()
		for done := len(plan.Changes); done < len(all); done++ {
			for _, change := range all[:done] {
				if err := Apply(ctx, l.client, []cluster.Change{change}, false); err != nil {
					t.Fatal(err)
				}
			}
			l.remove(t, ctx)
			if left := l.look(t, ctx).Made; !left.Nothing() {
				t.Errorf("after %d of %d changes a removal leaves %d objects", done, len(all), len(left.Objects))
			}
		}
		for _, change := range all[:len(all)-1] { // all but the Gateway
			if err := Apply(ctx, l.client, []cluster.Change{change}, false); err != nil {
				t.Fatal(err)
			}
		}
		address, _ := l.secured(t, ctx, Options{}) // names no flag, and finishes
		if answer := AskUntil(ctx, Door{URL: "https://" + address + "/"}, 20*time.Second); !answer.Well() {
			t.Errorf("%+v", answer)
		}
		if _, err := Secure(ctx, l.client, Options{TLS: &TLS{From: NoTLS}}, address, func(Delay) {}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(gateway, l.gateway(t, ctx)); diff != "" {
			t.Errorf("--tls none leaves something on the Gateway (-before +after):\n%s", diff)
		}
	})
}

func TestASecretThatComesDuringARemovalGoesToo(t *testing.T) {
	onAddresses(t, func(t *testing.T, ctx context.Context, l *live) {
		_, plan := l.plan(t, ctx, Options{TLS: &TLS{From: SelfSigned}})
		if err := Apply(ctx, l.client, plan.All()[:len(plan.All())-1], false); err != nil { // all but the Gateway
			t.Fatal(err)
		}
		var made Made
		for len(secretsOf(made)) < 2 { // the authority's and the dashboard's
			made = l.look(t, ctx).Made
		}
		early := slices.DeleteFunc(PlanRemoval(made), func(c cluster.Change) bool { return c.Before.GetKind() == "Secret" })
		if err := TakeBack(ctx, l.client, early, Removal{Timeout: time.Minute}); err != nil {
			t.Fatal(err)
		}
		if left := l.look(t, ctx).Made; !left.Nothing() {
			t.Errorf("%d objects are left, %d of them Secrets", len(left.Objects), len(secretsOf(left)))
		}
	})
}

func secretsOf(made Made) []*unstructured.Unstructured {
	return slices.DeleteFunc(slices.Clone(made.Objects), func(o *unstructured.Unstructured) bool { return o.GetKind() != "Secret" })
}
