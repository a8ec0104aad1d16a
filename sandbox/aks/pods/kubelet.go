package pods

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/control"
)

// A Kubelet runs the pods of all nodes.
type Kubelet struct {
	script    Script
	client    kubernetes.Interface
	events    record.EventRecorder
	pods      corelisters.PodLister
	nodes     corelisters.NodeLister
	configs   corelisters.ConfigMapLister
	addresses addresses

	mu    sync.Mutex
	lives map[types.UID]*life
	uids  map[string]types.UID // of the last pod with this key
}

// Loop creates the loop that simulates the kubelets.
func Loop(client kubernetes.Interface, factory informers.SharedInformerFactory, events record.EventRecorder, script Script) (*control.Loop, error) {
	core := factory.Core().V1()
	k := &Kubelet{
		script: script, client: client, events: events,
		pods: core.Pods().Lister(), nodes: core.Nodes().Lister(), configs: core.ConfigMaps().Lister(),
		addresses: newAddresses(), lives: map[types.UID]*life{}, uids: map[string]types.UID{},
	}
	loop := control.New("kubelet", 4, k.reconcile)
	if err := loop.On(core.Pods().Informer(), control.Key); err != nil {
		return nil, err
	}
	return loop, loop.On(core.ConfigMaps().Informer(), k.readers)
}

func (k *Kubelet) reconcile(ctx context.Context, key string) (time.Duration, error) {
	namespace, name, err := cache.SplitMetaNamespaceKey(key)
	if err != nil {
		return 0, fmt.Errorf("reading key: %w", err)
	}
	pod, err := k.pods.Pods(namespace).Get(name)
	if apierrors.IsNotFound(err) {
		k.forget(key, "")
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("getting pod: %w", err)
	}
	k.forget(key, pod.UID)
	switch {
	case pod.Spec.NodeName == "":
		return 0, nil
	case pod.DeletionTimestamp != nil:
		return 0, k.remove(ctx, pod)
	case pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed:
		return 0, nil
	}
	return k.run(ctx, key, pod)
}

func (k *Kubelet) run(ctx context.Context, key string, pod *corev1.Pod) (time.Duration, error) {
	node, err := k.nodes.Get(pod.Spec.NodeName)
	if err != nil {
		return 0, fmt.Errorf("getting node: %w", err)
	}
	now := time.Now()
	l, err := k.life(key, pod, node, now)
	if err != nil {
		return 0, err
	}
	runtime, _, _ := strings.Cut(node.Status.NodeInfo.ContainerRuntimeVersion, ":")
	script := k.script
	cannot := k.unmounted(ctx, pod, runtime)
	if cannot != "" {
		script = Script{StartDelay: now.Add(time.Hour).Sub(l.seen)}
		k.events.Event(pod, corev1.EventTypeWarning, "FailedMount", cannot)
	}
	status, next := decide(pod, l, script, k.config, runtime, now)
	if cannot != "" {
		next = now.Add(remount)
	}
	status.HostIP = internalIP(node)
	if status.HostIP != "" && len(pod.Status.HostIPs) > 0 {
		status.HostIPs = []corev1.HostIP{{IP: status.HostIP}}
	}
	var again time.Duration
	if !next.IsZero() {
		again = max(time.Until(next), time.Millisecond)
	}
	if equality.Semantic.DeepEqual(pod.Status, status) {
		return again, nil
	}
	k.notify(pod, status)
	changed := pod.DeepCopy()
	changed.Status = status
	if _, err := k.client.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, changed, metav1.UpdateOptions{FieldManager: "kubelet"}); err != nil && !apierrors.IsNotFound(err) {
		return 0, fmt.Errorf("updating pod status: %w", err)
	}
	return again, nil
}

// remove deletes a pod at once. A pod that a Job still counts must have
// terminated before its finalizer is removed.
func (k *Kubelet) remove(ctx context.Context, pod *corev1.Pod) error {
	if len(pod.Finalizers) > 0 && pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed {
		failed := pod.DeepCopy()
		failed.Status.Phase = corev1.PodFailed
		if _, err := k.client.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, failed, metav1.UpdateOptions{FieldManager: "kubelet"}); err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("ending pod: %w", err)
		}
	}
	now := int64(0)
	err := k.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: &now, Preconditions: metav1.NewUIDPreconditions(string(pod.UID)),
	})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("deleting pod: %w", err)
	}
	return nil
}

func (k *Kubelet) config(namespace, name string) *corev1.ConfigMap {
	config, err := k.configs.ConfigMaps(namespace).Get(name)
	if err != nil {
		return nil
	}
	return config
}

func internalIP(node *corev1.Node) string {
	for _, address := range node.Status.Addresses {
		if address.Type == corev1.NodeInternalIP {
			return address.Address
		}
	}
	return ""
}
