//go:build unix

package install

import (
	"context"
	"errors"
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
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/lock"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// holdPlace gives a test a Lease of its own: the tests of this package share a cluster.
func holdPlace(t *testing.T, client *cluster.Client, namespace string) {
	t.Helper()
	mustPut(t, client, namespace, `{apiVersion: v1, kind: Namespace, metadata: {name: `+namespace+`}}`)
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

func TestTheSecondHoldSaysWhoHasTheFirst(t *testing.T) {
	client := live(t)
	holdPlace(t, client, "held")
	_, release, err := lock.HoldIn(t.Context(), client, "held", "testing holds")
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = lock.HoldIn(t.Context(), client, "held", "coming too late")
	var held *lock.Held
	var problem *cluster.Problem
	if !errors.As(err, &held) || !errors.As(err, &problem) {
		t.Fatalf("want who holds it, got: %v", err)
	}
	if me := lock.OwnIdentity().Who(); held.By.Who != me || held.By.Doing != "testing holds" || held.By.Since.IsZero() {
		t.Errorf("got %+v, want %s testing holds", held.By, me)
	}
	if !strings.Contains(problem.What, "is testing holds on this cluster, since") {
		t.Errorf("got: %s", problem.What)
	}
	release()
	if lease := leaseIn(t, client, "held"); lease != nil {
		t.Errorf("the Lease is still there: %v", lease.Spec)
	}
	_, release, err = lock.HoldIn(t.Context(), client, "held", "testing again")
	if err != nil {
		t.Fatal(err)
	}
	release()
}

// leave writes the Lease of somebody who never renews it.
func leave(t *testing.T, client *cluster.Client, namespace string, by lock.Identity, seconds int32) {
	t.Helper()
	name, now := by.String(), metav1.NowMicro()
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: lock.LeaseName, Annotations: map[string]string{lock.DoingNote: "installing"}},
		Spec: coordinationv1.LeaseSpec{HolderIdentity: &name, LeaseDurationSeconds: &seconds, AcquireTime: &now, RenewTime: &now}}
	if _, err := client.Kube.CoordinationV1().Leases(namespace).Create(t.Context(), lease, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func TestAHolderThatStoppedRenewingIsTakenOverFrom(t *testing.T) {
	client := live(t)
	holdPlace(t, client, "silent")
	leave(t, client, "silent", lock.Identity{User: "jane", Host: "another-machine", Process: "1"}, 1)
	_, release, err := lock.HoldIn(t.Context(), client, "silent", "taking over")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if holder := lock.ParseIdentity(lock.HolderOf(leaseIn(t, client, "silent"))); holder.Who() != lock.OwnIdentity().Who() {
		t.Errorf("the Lease is %s's", holder.Who())
	}
}

func TestAHolderWhoseProcessIsGoneIsTakenOverFromAtOnce(t *testing.T) {
	client := live(t)
	holdPlace(t, client, "dead")
	ended := exec.Command("true")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	dead := lock.OwnIdentity()
	dead.Process = strconv.Itoa(ended.Process.Pid)
	leave(t, client, "dead", dead, 24*60*60) // waiting for its end would outlast this test
	_, release, err := lock.HoldIn(t.Context(), client, "dead", "taking over")
	if err != nil {
		t.Fatal(err)
	}
	release()
}

func TestTwoInstallsAtOnceAreOneAfterTheOther(t *testing.T) {
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
	var held *lock.Held
	if !errors.As(late, &held) || held.By.Doing != "installing twins" {
		t.Errorf("want the second install to say who is at work, got: %v", late)
	}
	_, err = apply.Run(t.Context(), client, second, apply.Options{})
	if err == nil || !strings.Contains(err.Error(), "while this install was being prepared") {
		t.Errorf("want the plan of before refused, got: %v", err)
	}
	if lease := leaseIn(t, client, lock.LeaseHome); lease != nil {
		t.Errorf("a Lease is left: %v", lease.Spec)
	}
}

func TestAHoldThatIsLostEndsTheWork(t *testing.T) {
	client := live(t)
	holdPlace(t, client, "lost")
	held, release, err := lock.HoldIn(t.Context(), client, "lost", "losing")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	leases := client.Kube.CoordinationV1().Leases("lost")
	thief := "jane@another-machine//1/x"
	for { // against our own renewals
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
	if err := lock.LostHold(held); err == nil || !strings.Contains(err.Error(), "jane@another-machine") {
		t.Errorf("want to hear who has it now, got: %v", err)
	}
	if !errors.Is(held.Err(), context.Canceled) {
		t.Errorf("got %v", held.Err())
	}
}

func TestIdentitiesAreReadBack(t *testing.T) {
	me := lock.OwnIdentity()
	if back := lock.ParseIdentity(me.String()); back != me {
		t.Errorf("%q reads as %+v", me, back)
	}
	if me.KnowsGone(me.String()) {
		t.Error("this process thinks that it is gone")
	}
	if me.KnowsGone("somebody") || me.KnowsGone("") {
		t.Error("what is unknown is not known to be gone")
	}
}

func TestWhoComesLaterIsToldBeforeAPlanIsMade(t *testing.T) {
	client := live(t)
	holdPlace(t, client, "vacant")
	if err := lock.VacantIn(t.Context(), client, "vacant"); err != nil {
		t.Errorf("nobody is at work, and it says: %v", err)
	}
	_, release, err := lock.HoldIn(t.Context(), client, "vacant", "testing holds")
	if err != nil {
		t.Fatal(err)
	}
	var held *lock.Held
	if err := lock.VacantIn(t.Context(), client, "vacant"); !errors.As(err, &held) || held.By.Doing != "testing holds" {
		t.Errorf("want who holds it, got: %v", err)
	}
	release()
	gone := lock.OwnIdentity()
	gone.Host = "another"
	leave(t, client, "vacant", gone, 1)
	if err := lock.VacantIn(t.Context(), client, "vacant"); err != nil {
		t.Errorf("who stopped renewing is not at work, and it says: %v", err)
	}
}
