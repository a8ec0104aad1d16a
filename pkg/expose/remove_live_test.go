package expose

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
		if _, err := Secure(ctx, l.client, nil, Options{TLS: &TLS{From: NoTLS}}, address, func(Delay) {}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(gateway, l.gateway(t, ctx)); diff != "" {
			t.Errorf("--tls none leaves something on the Gateway (-before +after):\n%s", diff)
		}
	})
}

func TestASecretThatComesLateGoesToo(t *testing.T) {
	onAddresses(t, func(t *testing.T, ctx context.Context, l *live) {
		for way, takeBack := range map[string]func(address string) error{
			"--remove": func(string) error { l.remove(t, ctx); return nil },
			"--tls none": func(address string) error {
				_, err := Secure(ctx, l.client, nil, Options{TLS: &TLS{From: NoTLS}}, address, func(Delay) {})
				return err
			},
		} {
			address, plan := l.secured(t, ctx, Options{TLS: &TLS{From: SelfSigned}})
			written := l.writesLate(t, ctx, plan.Secret)
			if err := takeBack(address); err != nil {
				t.Fatal(err)
			}
			if err := <-written; err != nil {
				t.Fatal(err)
			}
			if _, err := l.client.View().Get(ctx, plan.Secret); !apierrors.IsNotFound(err) {
				t.Errorf("%s leaves %s, written after its Certificate was gone: %v", way, plan.Secret, err)
			}
		}
	})
}

// writesLate plays a cert-manager that is slow: it writes a Secret again as soon as that is deleted, which is after its Certificate.
func (l *live) writesLate(t *testing.T, ctx context.Context, secret cluster.Ref) <-chan error {
	t.Helper()
	in := l.client.Kube.CoreV1().Secrets(secret.Namespace)
	issued, err := in.Get(ctx, secret.Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	issued.ResourceVersion, issued.UID = "", ""
	written := make(chan error, 1)
	go func() {
		for {
			_, err := in.Create(ctx, issued, metav1.CreateOptions{})
			if !apierrors.IsAlreadyExists(err) {
				written <- err
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	return written
}
