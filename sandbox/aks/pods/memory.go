package pods

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// life returns the remembered state of a pod, from the first reconcile on.
func (k *Kubelet) life(key string, pod *corev1.Pod, node *corev1.Node, now time.Time) (*life, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if l := k.lives[pod.UID]; l != nil {
		return l, nil
	}
	address := pod.Status.PodIP
	switch {
	case address != "":
		k.addresses.keep(address)
	case pod.Spec.HostNetwork:
		address = internalIP(node)
	default:
		taken, err := k.addresses.take(node.Spec.PodCIDR)
		if err != nil {
			return nil, err
		}
		address = taken
	}
	l := recall(pod, now)
	l.address = address
	k.lives[pod.UID], k.uids[key] = l, pod.UID
	return l, nil
}

// forget drops the remembered state of other pods with the same key.
func (k *Kubelet) forget(key string, except types.UID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	uid, ok := k.uids[key]
	if !ok || uid == except {
		return
	}
	// A host's address is not in any pod range, so releasing it has no effect.
	k.addresses.release(k.lives[uid].address)
	delete(k.lives, uid)
	delete(k.uids, key)
}

// readers returns the pods whose program reads a ConfigMap and may reject it.
func (k *Kubelet) readers(object any) []string {
	config, ok := object.(*corev1.ConfigMap)
	if !ok {
		return nil
	}
	pods, err := k.pods.Pods(config.Namespace).List(labels.Everything())
	if err != nil {
		return nil
	}
	var keys []string
	for _, pod := range pods {
		for i := range pod.Spec.Containers {
			c := &pod.Spec.Containers[i]
			if name, _ := splitImage(c.Image); strings.HasSuffix(name, "/workflow-controller") && configMapOf(c) == config.Name {
				keys = append(keys, pod.Namespace+"/"+pod.Name)
			}
		}
	}
	return keys
}

// notify emits a kubelet's events about containers that do not start.
func (k *Kubelet) notify(pod *corev1.Pod, now corev1.PodStatus) {
	for _, s := range now.ContainerStatuses {
		if s.State.Waiting == nil {
			continue
		}
		switch s.State.Waiting.Reason {
		case "CrashLoopBackOff":
			k.events.Eventf(pod, corev1.EventTypeWarning, "BackOff", "Back-off restarting failed container %s in pod %s_%s(%s)", s.Name, pod.Name, pod.Namespace, pod.UID)
		case "ImagePullBackOff":
			k.events.Eventf(pod, corev1.EventTypeWarning, "Failed", "Failed to pull image %q: not found", s.Image)
			k.events.Eventf(pod, corev1.EventTypeNormal, "BackOff", "Back-off pulling image %q", s.Image)
		}
	}
}
