package deviceplugin

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// Manager is the field manager that writes the DaemonSet. What others wrote is theirs.
const Manager = "kubectl-kubeflow-gpu-plugin"

// A Plan is what installing or removing the plugin changes. Making one changes nothing.
type Plan struct {
	Change  *cluster.Change // nil if there is nothing to do
	Why     string          // a sentence about what was found
	Warning string          // what the owner of the cluster should look at; "" without
}

// Found is what the cluster has that may offer GPUs.
type Found struct {
	DaemonSets, Deployments, Nodes []*unstructured.Unstructured
}

// own returns the DaemonSet at the place of ours, whoever wrote it.
func (f Found) own(wanted *unstructured.Unstructured) *unstructured.Unstructured {
	i := slices.IndexFunc(f.DaemonSets, func(o *unstructured.Unstructured) bool { return cluster.RefOf(o).Identity() == place(wanted) })
	if i < 0 {
		return nil
	}
	return f.DaemonSets[i]
}

// Install decides whether the plugin is needed. A second one on a node would take the GPUs from the first, so that nothing is
// done where anything else provides it.
func Install(f Found, wanted *unstructured.Unstructured) Plan {
	own := f.own(wanted)
	if own != nil && !ours(own) {
		return provided(own)
	}
	for _, set := range f.DaemonSets {
		if set != own && isPlugin(set) {
			return provided(set)
		}
	}
	if i := slices.IndexFunc(f.Deployments, isOperator); i >= 0 {
		return Plan{Why: fmt.Sprintf("the GPU operator (%s) installs the plugin", cluster.RefOf(f.Deployments[i]))}
	}
	if i := slices.IndexFunc(f.Nodes, offersGPUs); own == nil && i >= 0 {
		return Plan{Why: fmt.Sprintf("node %s offers its GPUs without a DaemonSet: AKS manages the plugin there", f.Nodes[i].GetName())}
	}
	change := &cluster.Change{Verb: cluster.Apply, Before: own, After: wanted}
	if own != nil {
		return Plan{Change: change, Why: "the plugin is installed in another version or with other settings"}
	}
	return Plan{Change: change, Why: Why}
}

// Remove decides what to delete: only what this program installed.
func Remove(f Found, wanted *unstructured.Unstructured) Plan {
	switch own := f.own(wanted); {
	case own == nil:
		return Plan{Why: "it is not installed"}
	case !ours(own):
		return Plan{Why: fmt.Sprintf("%s was not installed by this program", cluster.RefOf(own))}
	default:
		return Plan{Change: &cluster.Change{Verb: cluster.Delete, Before: own}, Why: "pods get no GPUs any more; those that run keep theirs"}
	}
}

func provided(set *unstructured.Unstructured) Plan {
	p := Plan{Why: fmt.Sprintf("%s provides the plugin", cluster.RefOf(set))}
	if !toleratesPool(set) {
		p.Warning = fmt.Sprintf("%s does not tolerate the taint sku=gpu:NoSchedule of a GPU pool, and does not run there", cluster.RefOf(set))
	}
	return p
}

// ours reports whether this program wrote an object, by what the server notes.
func ours(o *unstructured.Unstructured) bool {
	return kube.SetBy(o, "/metadata/labels/app.kubernetes.io~1managed-by", Manager)
}

// isPlugin reports whether a DaemonSet runs NVIDIA's device plugin, also from another registry or under another name.
func isPlugin(set *unstructured.Unstructured) bool {
	return strings.Contains(set.GetName(), "nvidia-device-plugin") || runs(set, "k8s-device-plugin")
}

func isOperator(o *unstructured.Unstructured) bool { return runs(o, "gpu-operator") }

// runs reports whether a workload has a container with an image of this name, whatever registry it is from.
func runs(o *unstructured.Unstructured, name string) bool {
	return slices.ContainsFunc(kube.Items(o.Object, "spec", "template", "spec", "containers"), func(c map[string]any) bool {
		image := kube.Text(c, "image")
		image = image[strings.LastIndex(image, "/")+1:]
		image, _, _ = strings.Cut(image, "@")
		image, _, _ = strings.Cut(image, ":")
		return image == name
	})
}

func offersGPUs(node *unstructured.Unstructured) bool {
	n := kube.Text(node.Object, "status", "allocatable", "nvidia.com/gpu")
	return n != "" && n != "0"
}

// toleratesPool reports whether the pods of a workload tolerate the taint of a GPU pool.
func toleratesPool(o *unstructured.Unstructured) bool {
	return slices.ContainsFunc(kube.Items(o.Object, "spec", "template", "spec", "tolerations"), func(t map[string]any) bool {
		key, effect := kube.Text(t, "key"), kube.Text(t, "effect")
		if effect != "" && effect != "NoSchedule" || key != "" && key != "sku" {
			return false
		}
		return kube.Text(t, "operator") == "Exists" || key == "sku" && kube.Text(t, "value") == "gpu"
	})
}
