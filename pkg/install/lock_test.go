//go:build unix

package install

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/apply"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/lock"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/state"
)

// leaseNamespace gives a test a Lease of its own: the tests of this package share a cluster.
func leaseNamespace(t *testing.T, client *cluster.Client, namespace string) {
	t.Helper()
	mustInstallYAML(t, client, namespace, `{apiVersion: v1, kind: Namespace, metadata: {name: `+namespace+`}}`)
}

func leaseIn(t *testing.T, client *cluster.Client, namespace string) *coordinationv1.Lease {
	t.Helper()
	lease, err := client.Kube.CoordinationV1().Leases(namespace).Get(t.Context(), lock.LeaseName, metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
	if err != nil {
		return nil
	}
	return lease
}

func TestAcquiringAHeldLeaseNamesItsHolder(t *testing.T) {
	client := live(t)
	leaseNamespace(t, client, "held")
	_, release, err := lock.AcquireIn(t.Context(), client, "held", "testing locks", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = lock.AcquireIn(t.Context(), client, "held", "acquiring a held Lease", nil)
	var held *lock.HeldError
	var failure *problem.Error
	if !errors.As(err, &held) || !errors.As(err, &failure) {
		t.Fatalf("want the holder named, got: %v", err)
	}
	if host, _ := os.Hostname(); !strings.HasSuffix(held.By.Who, "@"+host) || held.By.Doing != "testing locks" || held.By.Since.IsZero() {
		t.Errorf("got %+v, want a user on %s who is testing locks", held.By, host)
	}
	if !strings.Contains(failure.What, "is testing locks on this cluster, since") {
		t.Errorf("got: %s", failure.What)
	}
	release()
	if lease := leaseIn(t, client, "held"); lease != nil {
		t.Errorf("the Lease is still there: %v", lease.Spec)
	}
	_, release, err = lock.AcquireIn(t.Context(), client, "held", "testing again", nil)
	if err != nil {
		t.Fatal(err)
	}
	release()
}

// createStaleLease writes a Lease whose holder never renews it.
func createStaleLease(t *testing.T, client *cluster.Client, namespace, holder string, seconds int32) {
	t.Helper()
	now := metav1.NowMicro()
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: lock.LeaseName, Annotations: map[string]string{"kubeflow.org/doing": "installing"}},
		Spec: coordinationv1.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &seconds, AcquireTime: &now, RenewTime: &now}}
	if _, err := client.Kube.CoordinationV1().Leases(namespace).Create(t.Context(), lease, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func TestALeaseThatIsNotRenewedIsTakenOver(t *testing.T) {
	client := live(t)
	leaseNamespace(t, client, "silent")
	createStaleLease(t, client, "silent", "jane@another-machine//1/", 1)
	var told []string
	_, release, err := lock.AcquireIn(t.Context(), client, "silent", "taking over", func(e lock.Event) { told = append(told, e.String()) })
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if len(told) != 2 || !strings.HasPrefix(told[0], "Waiting for the Lease of jane@another-machine, who is installing since ") ||
		told[1] != "Took over the Lease of jane@another-machine, who was installing: that process has ended or lost its connection." {
		t.Errorf("want the wait and the takeover told, got %q", told)
	}
	if holder := *leaseIn(t, client, "silent").Spec.HolderIdentity; strings.Contains(holder, "another-machine") {
		t.Errorf("the Lease is held by %s", holder)
	}
}

func TestALeaseOfAnEndedLocalProcessIsTakenOverAtOnce(t *testing.T) {
	client := live(t)
	leaseNamespace(t, client, "dead")
	ended := exec.Command("true")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	_, release, err := lock.AcquireIn(t.Context(), client, "dead", "reading this process's identity", nil)
	if err != nil {
		t.Fatal(err)
	}
	identity := strings.Split(*leaseIn(t, client, "dead").Spec.HolderIdentity, "/") // user@host/PID namespace/PID/nonce
	release()
	identity[2] = strconv.Itoa(ended.Process.Pid)
	createStaleLease(t, client, "dead", strings.Join(identity, "/"), 24*60*60) // waiting for it to expire would outlast this test
	_, release, err = lock.AcquireIn(t.Context(), client, "dead", "taking over", nil)
	if err != nil {
		t.Fatal(err)
	}
	release()
}

func TestASecondConcurrentInstallIsRejected(t *testing.T) {
	client := live(t)
	yaml := strings.ReplaceAll(shop, "shop", "twins")
	components := []release.RenderedComponent{{Name: "app", Objects: kubetest.Objects(t, []byte(yaml))}}
	first := planFor(t, client, plan.Request{Name: "twins", Components: components})
	second := planFor(t, client, plan.Request{Name: "twins", Components: components})
	var late error
	_, err := apply.Run(t.Context(), client, first, apply.Options{Observe: func(e events.Event) {
		if _, ok := e.(events.ObjectApplied); ok && late == nil {
			_, late = apply.Run(t.Context(), client, second, apply.Options{})
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	var held *lock.HeldError
	if !errors.As(late, &held) || held.By.Doing != "installing twins" {
		t.Errorf("want the second install to name the holder, got: %v", late)
	}
	_, err = apply.Run(t.Context(), client, second, apply.Options{})
	if err == nil || !strings.Contains(err.Error(), "while this install was being prepared") {
		t.Errorf("want the outdated plan rejected, got: %v", err)
	}
	if lease := leaseIn(t, client, state.Namespace); lease != nil {
		t.Errorf("the Lease was not deleted: %v", lease.Spec)
	}
}

func TestLosingTheLeaseCancelsTheContext(t *testing.T) {
	client := live(t)
	leaseNamespace(t, client, "lost")
	held, release, err := lock.AcquireIn(t.Context(), client, "lost", "losing", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	leases := client.Kube.CoordinationV1().Leases("lost")
	thief := "jane@another-machine//1/x"
	for { // the holder's renewals conflict with this write
		lease := leaseIn(t, client, "lost")
		lease.Spec.HolderIdentity = &thief
		if _, err = leases.Update(t.Context(), lease, metav1.UpdateOptions{}); err == nil {
			break
		}
		if !apierrors.IsConflict(err) {
			t.Fatal(err)
		}
	}
	<-held.Done()
	if err := lock.Lost(held); err == nil || !strings.Contains(err.Error(), "jane@another-machine") {
		t.Errorf("want the new holder named, got: %v", err)
	}
	if !errors.Is(held.Err(), context.Canceled) {
		t.Errorf("got %v", held.Err())
	}
}

func TestALeaseHeldByAnotherProcessIsReportedBeforeAPlanIsMade(t *testing.T) {
	client := live(t)
	if err := lock.CheckFree(t.Context(), client); err != nil {
		t.Errorf("the Lease is free, but the check returns: %v", err)
	}
	_, release, err := lock.Acquire(t.Context(), client, "testing locks", nil)
	if err != nil {
		t.Fatal(err)
	}
	var held *lock.HeldError
	if err := lock.CheckFree(t.Context(), client); !errors.As(err, &held) || held.By.Doing != "testing locks" {
		t.Errorf("want the holder named, got: %v", err)
	}
	release()
	createStaleLease(t, client, state.Namespace, "jane@another-machine//1/", 1)
	t.Cleanup(func() {
		_ = client.Kube.CoordinationV1().Leases(state.Namespace).Delete(context.WithoutCancel(t.Context()), lock.LeaseName, metav1.DeleteOptions{})
	})
	if err := lock.CheckFree(t.Context(), client); err != nil {
		t.Errorf("the holder stopped renewing its Lease, but the check returns: %v", err)
	}
}
