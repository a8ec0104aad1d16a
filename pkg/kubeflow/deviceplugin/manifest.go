package deviceplugin

import (
	_ "embed"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/images"
)

//go:embed manifest.yaml
var manifest string

// Object returns the DaemonSet, with images replaced by rules.
func Object(rules []images.Rule) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	if err := bounded.Unmarshal(manifest, &o.Object); err != nil {
		panic(err) // the manifest is part of the program
	}
	if changed, ok := images.Rewrite(o, rules); ok {
		return changed
	}
	return o
}

// Why is what the plugin is for, as a sentence.
const Why = "AKS installs the driver on GPU nodes, and not NVIDIA's device plugin, which offers the GPUs to pods"

// RemoveCommand removes the plugin.
const RemoveCommand = "kubectl kubeflow cluster gpu-plugin --remove"

// place is where the DaemonSet is.
func place(o *unstructured.Unstructured) cluster.Ref { return cluster.RefOf(o).Identity() }
