package dashboard

import (
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

// applies is whether Istio enforces an object at a pod of the gateway. What protects the pod has to be sure, and what opens it has to
// be surely absent.
type applies int

const (
	never applies = iota
	maybe
	surely
)

// podLabel is on the pods of a gateway that the Gateway API creates: targetRefs can name only those.
const podLabel = "gateway.networking.k8s.io/gateway-name"

// at reports whether an Istio object is enforced at pods with these labels.
func at(o *unstructured.Unstructured, pods labels.Set) applies {
	return min(selected(o, pods), dryRun(o))
}

// selected reports whether an Istio object is about pods with these labels. Without a selector it is about all pods of its namespace, or
// of the mesh if that is the root namespace.
func selected(o *unstructured.Unstructured, pods labels.Set) applies {
	spec := kube.Map(o.Object, "spec")
	if spec["targetRef"] != nil || spec["targetRefs"] != nil {
		if pods[podLabel] == "" {
			return never
		}
		return maybe
	}
	for _, path := range [][]string{{"workloadLabels"}, {"workloadSelector", "labels"}, {"selector", "matchLabels"}} {
		if spec[path[0]] == nil {
			continue
		}
		wanted, _, err := unstructured.NestedStringMap(spec, path...)
		switch {
		case err != nil:
			return maybe
		case !labels.SelectorFromSet(wanted).Matches(pods):
			return never
		}
	}
	return surely
}

// dryRun reports whether Istio enforces an object or only logs what it would do.
func dryRun(o *unstructured.Unstructured) applies {
	value, annotated := o.GetAnnotations()["istio.io/dry-run"]
	if !annotated {
		return surely
	}
	switch on, err := strconv.ParseBool(value); {
	case err != nil:
		return maybe
	case on:
		return never
	}
	return surely
}

// whether returns those of the objects that apply to pods at least as surely as asked.
func whether(objects []*unstructured.Unstructured, pods labels.Set, least applies) []*unstructured.Unstructured {
	return slices.DeleteFunc(slices.Clone(objects), func(o *unstructured.Unstructured) bool { return at(o, pods) < least })
}
