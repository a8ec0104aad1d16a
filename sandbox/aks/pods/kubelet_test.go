package pods

import (
	"io"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/record"
)

func TestAPodRunsOnceItIsPlacedAndGoesWhenItIsDeleted(t *testing.T) {
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "n"},
		Spec:       corev1.NodeSpec{PodCIDR: "10.244.3.0/24"},
		Status:     corev1.NodeStatus{Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "10.224.0.4"}}},
	}
	unplaced := pod(corev1.Container{Name: "main", Image: "app"})
	client := fake.NewClientset(node, unplaced)
	factory := informers.NewSharedInformerFactory(client, 0)
	loop, err := Loop(client, factory, record.NewFakeRecorder(100), Script{})
	if err != nil {
		t.Fatal(err)
	}
	factory.Start(t.Context().Done())
	factory.WaitForCacheSync(t.Context().Done())
	changes, err := client.CoreV1().Pods("kubeflow").Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	go loop.Run(t.Context(), io.Discard)

	placed := unplaced.DeepCopy()
	placed.Spec.NodeName = "n"
	if _, err := client.CoreV1().Pods("kubeflow").Update(t.Context(), placed, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	got := await(t, changes, func(e watch.Event) bool { return ready(e.Object.(*corev1.Pod).Status) })
	if got.Status.PodIP != "10.244.3.2" || got.Status.HostIP != "10.224.0.4" {
		t.Errorf("pod at %q on host %q", got.Status.PodIP, got.Status.HostIP)
	}
	now := metav1.Now()
	got.DeletionTimestamp = &now
	if _, err := client.CoreV1().Pods("kubeflow").Update(t.Context(), got, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	await(t, changes, func(e watch.Event) bool { return e.Type == watch.Deleted })
}

func await(t *testing.T, changes watch.Interface, met func(watch.Event) bool) *corev1.Pod {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		select {
		case e := <-changes.ResultChan():
			if met(e) {
				return e.Object.(*corev1.Pod)
			}
		case <-deadline:
			t.Fatal("did not happen")
		}
	}
}

func TestAddressesAreGivenOutOnceUntilTheyComeBack(t *testing.T) {
	a := newAddresses()
	a.keep("10.244.0.2")
	first, _ := a.take("10.244.0.0/29")
	second, _ := a.take("10.244.0.0/29")
	a.release(first)
	again, err := a.take("10.244.0.0/29")
	if first != "10.244.0.3" || second != "10.244.0.4" || again != first || err != nil {
		t.Errorf("%s, %s, %s, %v", first, second, again, err)
	}
}
