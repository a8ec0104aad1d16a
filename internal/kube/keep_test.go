package kube

import (
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// aPod has a field of every kind of type that objects have.
func aPod() *corev1.Pod {
	yes, seconds := true, int64(30)
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "n", Labels: map[string]string{"a": "b"}, CreationTimestamp: metav1.Unix(1000, 0),
			OwnerReferences: []metav1.OwnerReference{{Kind: "ReplicaSet", Name: "r", Controller: &yes}}},
		Spec: corev1.PodSpec{HostNetwork: true, TerminationGracePeriodSeconds: &seconds, Containers: []corev1.Container{
			{Name: "c", Image: "i", Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{"cpu": resource.MustParse("100m")}},
				LivenessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Port: intstr.FromString("web")}}}},
			{Name: "d"},
		}},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{{Name: "c", RestartCount: 3,
			State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}}}},
	}
}

func TestAnObjectAndItsGoTypeKeepTheSameFields(t *testing.T) {
	pod := aPod()
	whole, err := runtime.DefaultUnstructuredConverter.ToUnstructured(pod)
	if err != nil {
		t.Fatal(err)
	}
	for _, paths := range []string{
		"metadata/name", "metadata/labels metadata/creationTimestamp metadata/ownerReferences", "spec/containers/name spec/containers/image", "spec/hostNetwork",
		"spec/terminationGracePeriodSeconds", "spec/containers/resources spec/containers/livenessProbe", "status/containerStatuses", "status/containerStatuses/state/waiting",
		"spec/nodeName", "spec/volumes", "status/phase spec/containers",
	} {
		k := KeepOf(paths)
		typed, err := k.Struct(pod)
		if err != nil {
			t.Fatalf("%s: %v", paths, err)
		}
		untyped := withoutEmpty(k.Object(whole))
		if typed = withoutEmpty(typed); !reflect.DeepEqual(typed, untyped) {
			t.Errorf("%s:\n%v from the Go type\n%v from the object", paths, typed, untyped)
		}
	}
}

// withoutEmpty drops empty objects, which Go's types have where nothing is set.
func withoutEmpty(o map[string]any) map[string]any {
	kept := map[string]any{}
	for name, field := range o {
		switch v := field.(type) {
		case map[string]any:
			if len(v) > 0 {
				kept[name] = withoutEmpty(v)
			}
		case []any:
			items := make([]any, len(v))
			for i, item := range v {
				items[i] = item
				if m, ok := item.(map[string]any); ok {
					items[i] = withoutEmpty(m)
				}
			}
			kept[name] = items
		default:
			kept[name] = v
		}
	}
	return kept
}

func TestSharedValuesAreOne(t *testing.T) {
	var s Shared
	k := KeepOf("metadata/name spec/containers status")
	first, _ := k.Struct(aPod())
	other := aPod()
	other.Name = "another"
	second, _ := k.Struct(other)
	second["number"] = int64(1)
	first, second = s.Map(first), s.Map(second)
	pointer := func(v any) uintptr { return reflect.ValueOf(v).Pointer() }
	if pointer(first["spec"]) != pointer(second["spec"]) || pointer(first["status"]) != pointer(second["status"]) {
		t.Error("equal parts are not shared")
	}
	if pointer(first["metadata"]) == pointer(second["metadata"]) || Text(second, "metadata", "name") != "another" || Text(first, "metadata", "name") != "p" {
		t.Errorf("parts that differ are shared: %v, %v", first["metadata"], second["metadata"])
	}
	if again := s.Map(map[string]any{"number": int64(2)}); again["number"] != int64(2) {
		t.Errorf("another number became %v", again["number"])
	}
}
