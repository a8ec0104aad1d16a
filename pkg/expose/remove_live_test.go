package expose_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/probe"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/tls"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

func TestInterruptedHTTPSIsCompletedOrReverted(t *testing.T) {
	onAddresses(t, func(t *testing.T, ctx context.Context, l *live) {
		gateway := l.gateway(t, ctx)
		o := expose.Options{TLS: &expose.TLS{From: expose.SelfSigned}}
		_, plan := l.plan(t, ctx, o)
		all := plan.All()
		for done := len(plan.Changes); done < len(all); done++ {
			for _, change := range all[:done] {
				if err := expose.Apply(ctx, l.client, []cluster.Change{change}, false); err != nil {
					t.Fatal(err)
				}
			}
			l.remove(t, ctx)
			if left := l.look(t, ctx).Inventory; !left.Empty() {
				t.Errorf("after %d of %d changes a removal leaves %d objects", done, len(all), len(left.Objects))
			}
		}
		for _, change := range all[:len(all)-1] { // all but the Gateway
			if err := expose.Apply(ctx, l.client, []cluster.Change{change}, false); err != nil {
				t.Fatal(err)
			}
		}
		address, _ := l.secured(t, ctx, expose.Options{}) // completes without flags
		if answer := probe.Until(ctx, probe.Request{URL: "https://" + address + "/"}, 20*time.Second); !answer.Healthy() {
			t.Errorf("%+v", answer)
		}
		if _, err := tls.Secure(ctx, l.client, nil, expose.Options{TLS: &expose.TLS{From: expose.NoTLS}}, address, func(problem.Error) {}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(gateway, l.gateway(t, ctx)); diff != "" {
			t.Errorf("--tls none leaves something on the Gateway (-before +after):\n%s", diff)
		}
	})
}

func TestASecretWrittenLateIsDeleted(t *testing.T) {
	onAddresses(t, func(t *testing.T, ctx context.Context, l *live) {
		for way, remove := range map[string]func(address string) error{
			"--remove": func(string) error { l.remove(t, ctx); return nil },
			"--tls none": func(address string) error {
				_, err := tls.Secure(ctx, l.client, nil, expose.Options{TLS: &expose.TLS{From: expose.NoTLS}}, address, func(problem.Error) {})
				return err
			},
		} {
			address, plan := l.secured(t, ctx, expose.Options{TLS: &expose.TLS{From: expose.SelfSigned}})
			written := l.writesLate(t, ctx, plan.Secret)
			if err := remove(address); err != nil {
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

// writesLate simulates a slow cert-manager: it writes a Secret again as soon as that is deleted, which is after its Certificate.
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
