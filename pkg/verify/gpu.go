package verify

import (
	"context"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

var gpu = &Test{
	Name: "gpu", Title: "A pod gets a GPU",
	Checks:  []string{"nodes", "pods"},
	Parts:   []string{"gpu", "nvidia"},
	Uses:    []Use{Notebook},
	Applies: hasGPUs,
	Run:     runGPU,
}

const gpuResource = "nvidia.com/gpu"

func hasGPUs(ctx context.Context, s *Session) (string, error) {
	nodes, err := s.View.List(ctx, schema.GroupKind{Kind: "Node"}, cluster.Scope{})
	if err != nil {
		return "", err
	}
	for _, node := range nodes {
		if n := kube.Text(node.Object, "status", "allocatable", gpuResource); n != "" && n != "0" {
			return "", nil
		}
	}
	return "no node offers " + gpuResource, nil
}

// runGPU runs nvidia-smi, which the runtime of GPU nodes brings.
func runGPU(ctx context.Context, t *T) error {
	image, err := t.Image(ctx, Notebook)
	if err != nil {
		return err
	}
	spec := program("gpu", image, "nvidia-smi")
	container, _ := spec["containers"].([]any)[0].(map[string]any)
	limits, _ := container["resources"].(map[string]any)["limits"].(map[string]any)
	limits[gpuResource] = "1"
	container["env"] = []any{map[string]any{"name": "NVIDIA_DRIVER_CAPABILITIES", "value": "compute,utility"}}
	spec["tolerations"] = []any{
		map[string]any{"key": "sku", "operator": "Equal", "value": "gpu", "effect": "NoSchedule"},
		map[string]any{"key": gpuResource, "operator": "Exists", "effect": "NoSchedule"},
		map[string]any{"key": "kubernetes.azure.com/scalesetpriority", "operator": "Equal", "value": "spot", "effect": "NoSchedule"},
	}
	o := object("v1", "Pod", "gpu", spec)
	o.SetLabels(map[string]string{"sidecar.istio.io/inject": "false"})
	o.SetAnnotations(map[string]string{"sidecar.istio.io/inject": "false"})
	if _, err := t.Create(ctx, o); err != nil {
		return err
	}
	watch := t.watch("gpu")
	defer watch.stop()
	err = t.Poll(ctx, func(ctx context.Context) (bool, error) {
		pod, err := t.Latest(ctx, watch.ref)
		if err != nil || pod == nil {
			return false, err
		}
		switch kube.Text(pod.Object, "status", "phase") {
		case "Succeeded":
			return true, nil
		case "Failed":
			return false, &Failure{About: &watch.ref, Message: "nvidia-smi failed", Logs: t.logs(ctx, watch.ref, "gpu"), Next: "kubectl kubeflow doctor nodes"}
		}
		_, err = watch.judge(ctx, pod)
		return false, err
	})
	if err != nil {
		return err
	}
	t.Detail("a pod got a GPU")
	for _, line := range t.logs(ctx, watch.ref, "gpu") {
		if strings.Contains(line, "NVIDIA-SMI") {
			t.Detail("%s", strings.Trim(line, "| "))
		}
	}
	return nil
}
