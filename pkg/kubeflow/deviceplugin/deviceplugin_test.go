package deviceplugin

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/images"
)

func workload(kind, namespace, name, image string, tolerations ...any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "apps/v1", "kind": kind, "metadata": map[string]any{"name": name, "namespace": namespace},
		"spec": map[string]any{"template": map[string]any{"spec": map[string]any{"containers": []any{map[string]any{"name": "c", "image": image}}, "tolerations": tolerations}}}}}
}

// written returns the DaemonSet as a server has it after this program, or another, wrote it.
func written(t *testing.T, manager string) *unstructured.Unstructured {
	t.Helper()
	o := Object(nil)
	fields, err := json.Marshal(map[string]any{"f:metadata": map[string]any{"f:labels": map[string]any{"f:app.kubernetes.io/managed-by": map[string]any{}}}})
	if err != nil {
		t.Fatal(err)
	}
	o.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: manager, Operation: "Apply", FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(string(fields))}})
	return o
}

func node(gpus string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Node", "metadata": map[string]any{"name": "gpu-0"}, "status": map[string]any{"allocatable": map[string]any{"nvidia.com/gpu": gpus}}}}
}

var (
	poolTaint = map[string]any{"key": "sku", "operator": "Equal", "value": "gpu", "effect": "NoSchedule"}
	anyTaint  = map[string]any{"operator": "Exists"}
	otherSKU  = map[string]any{"key": "sku", "value": "cpu"}
)

func TestThePluginIsInstalledWhereNothingElseOffersGPUs(t *testing.T) {
	sets := func(o ...*unstructured.Unstructured) Found { return Found{DaemonSets: o} }
	for _, c := range []struct {
		what    string
		found   Found
		changes bool
		warns   bool
	}{
		{"nothing", Found{}, true, false},
		{"another DaemonSet", sets(workload("DaemonSet", "kube-system", "kube-proxy", "r/kube-proxy:v1")), true, false},
		{"a node without GPUs that are offered", Found{Nodes: []*unstructured.Unstructured{node("0"), node("")}}, true, false},
		{"our own", sets(written(t, Manager)), true, false},
		{"our own, and nodes that offer GPUs because of it", Found{DaemonSets: []*unstructured.Unstructured{written(t, Manager)}, Nodes: []*unstructured.Unstructured{node("1")}}, true, false},
		{"NVIDIA's at the same place, applied by kubectl", sets(written(t, "kubectl-client-side-apply")), false, false},
		{"NVIDIA's by another name, from another registry", sets(workload("DaemonSet", "gpu-resources", "plugin", "r.example.com:5000/x/k8s-device-plugin:v1@sha256:0", poolTaint)), false, false},
		{"one that tolerates all taints", sets(workload("DaemonSet", "gpu", "nvidia-device-plugin", "x", anyTaint)), false, false},
		{"one that does not tolerate the pool's", sets(workload("DaemonSet", "gpu", "nvidia-device-plugin", "x", otherSKU)), false, true},
		{"our own, and another one", sets(written(t, Manager), workload("DaemonSet", "gpu", "nvidia-device-plugin", "x", poolTaint)), false, false},
		{"an image with a similar name", sets(workload("DaemonSet", "gpu", "amd", "r/amd-k8s-device-plugin-helper:v1")), true, false},
		{"the GPU operator before it has nodes", Found{Deployments: []*unstructured.Unstructured{workload("Deployment", "gpu-operator", "gpu-operator", "r/nvidia/gpu-operator:v25")}}, false, false},
		{"a pool whose plugin AKS manages", Found{Nodes: []*unstructured.Unstructured{node("0"), node("4")}}, false, false},
	} {
		p := Install(c.found, Object(nil))
		if (p.Change != nil) != c.changes || (p.Warning != "") != c.warns || p.Why == "" {
			t.Errorf("%s: %+v", c.what, p)
		}
	}
}

func TestOnlyOurPluginIsRemoved(t *testing.T) {
	for manager, removed := range map[string]bool{Manager: true, "kubectl-client-side-apply": false, "helm": false} {
		p := Remove(Found{DaemonSets: []*unstructured.Unstructured{written(t, manager)}}, Object(nil))
		if (p.Change != nil) != removed || removed && p.Change.Verb != cluster.Delete {
			t.Errorf("%s: %+v", manager, p)
		}
	}
	if p := Remove(Found{}, Object(nil)); p.Change != nil {
		t.Errorf("%+v", p)
	}
}

// TestTheManifestIsThatOfAGPUPool holds the manifest against what a pool of "cluster create --gpu" has, and the image against tags
// that move.
func TestTheManifestIsThatOfAGPUPool(t *testing.T) {
	o := Object(nil)
	if !toleratesPool(o) || !isPlugin(o) {
		t.Error("it does not run on the nodes of a GPU pool")
	}
	image := fmt.Sprint(o.Object)
	image = image[strings.Index(image, "image:")+len("image:"):]
	image, _, _ = strings.Cut(image, " ")
	if _, tag, found := strings.Cut(image, ":"); !found || !strings.HasPrefix(tag, "v") {
		t.Errorf("the image %s has no fixed tag", image)
	}
	rule, err := images.Parse(image[:strings.Index(image, "/")] + "=registry.example.com")
	if err != nil {
		t.Fatal(err)
	}
	mirrored := Object([]images.Rule{rule})
	if text := fmt.Sprint(mirrored.Object); !strings.Contains(text, "registry.example.com/nvidia/k8s-device-plugin:") || !isPlugin(mirrored) {
		t.Errorf("the image is not replaced: %s", text)
	}
	if !toleratesPool(o) || toleratesPool(workload("DaemonSet", "a", "b", "c")) {
		t.Error("tolerations are not read")
	}
}
