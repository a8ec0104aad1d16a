package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
)

// The names that Kubeflow's admission webhook uses.
const (
	podDefaultsPath   = "/apply-poddefault"
	podDefaultsPrefix = "poddefault.admission.kubeflow.org/"
)

// A podDefault is what the admission webhook of Kubeflow adds to the pods that it selects.
type podDefault struct {
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Selector     metav1.LabelSelector   `json:"selector"`
		Env          []corev1.EnvVar        `json:"env"`
		EnvFrom      []corev1.EnvFromSource `json:"envFrom"`
		Volumes      []corev1.Volume        `json:"volumes"`
		VolumeMounts []corev1.VolumeMount   `json:"volumeMounts"`
	} `json:"spec"`
}

// applyPodDefaults returns the pod with the PodDefaults of its namespace that select it, nil if none does. Those that contradict
// the pod or each other are an error, with which the webhook denies the pod.
func (h Handler) applyPodDefaults(object json.RawMessage, namespace string) (*corev1.Pod, error) {
	var pod corev1.Pod
	if err := json.Unmarshal(object, &pod); err != nil {
		return nil, err
	}
	if pod.Annotations[podDefaultsPrefix+"exclude"] == "true" {
		return nil, nil
	}
	var names []string
	var conflicts []error
	for _, o := range h.PodDefaults(namespace) {
		d, err := readPodDefault(o, &pod)
		if err != nil {
			return nil, err
		}
		if d != nil {
			names = append(names, d.Name)
			conflicts = append(conflicts, d.apply(&pod))
		}
	}
	if err := errors.Join(conflicts...); err != nil {
		return nil, fmt.Errorf("conflict occurred while applying poddefaults: %s on pod: %s err: %w", strings.Join(names, ","), pod.Name, err)
	}
	if len(names) == 0 {
		return nil, nil
	}
	return &pod, nil
}

// readPodDefault returns the PodDefault if it selects the pod.
func readPodDefault(o unstructured.Unstructured, pod *corev1.Pod) (*podDefault, error) {
	var d podDefault
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &d); err != nil {
		return nil, err
	}
	selector, err := metav1.LabelSelectorAsSelector(&d.Spec.Selector)
	if err != nil {
		return nil, fmt.Errorf("label selector conversion failed: %w for selector: %v", err, d.Spec.Selector)
	}
	if !selector.Matches(labels.Set(pod.Labels)) {
		return nil, nil
	}
	return &d, nil
}

// apply adds what the PodDefault holds to a pod.
func (d *podDefault) apply(pod *corev1.Pod) error {
	var conflicts []error
	pod.Spec.Volumes = merge(pod.Spec.Volumes, d.Spec.Volumes, "volumes", d.Name, &conflicts, func(v corev1.Volume) string { return v.Name })
	for i := range pod.Spec.Containers {
		c := &pod.Spec.Containers[i]
		c.EnvFrom = append(c.EnvFrom, d.Spec.EnvFrom...)
		c.Env = merge(c.Env, d.Spec.Env, "env", d.Name, &conflicts, func(v corev1.EnvVar) string { return v.Name })
		c.VolumeMounts = merge(c.VolumeMounts, d.Spec.VolumeMounts, "volume mounts", d.Name, &conflicts, func(v corev1.VolumeMount) string { return v.MountPath })
	}
	if pod.Annotations == nil {
		pod.Annotations = map[string]string{}
	}
	pod.Annotations[podDefaultsPrefix+"poddefault-"+d.Name] = d.ResourceVersion
	return errors.Join(conflicts...)
}

// merge adds items that are not there. Another one with the same key is a conflict.
func merge[T any](have, add []T, what, from string, conflicts *[]error, key func(T) string) []T {
	known := map[string]T{}
	for _, item := range have {
		known[key(item)] = item
	}
	for _, item := range add {
		found, ok := known[key(item)]
		switch {
		case !ok:
			known[key(item)] = item
			have = append(have, item)
		case !reflect.DeepEqual(found, item):
			*conflicts = append(*conflicts, fmt.Errorf("merging %s for %s has a conflict on %s", what, from, key(item)))
		}
	}
	return have
}
