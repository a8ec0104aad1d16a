package checks

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// The kinds that checks read.
var (
	nodeKind           = schema.GroupKind{Kind: "Node"}
	namespaceKind      = schema.GroupKind{Kind: "Namespace"}
	podKind            = schema.GroupKind{Kind: "Pod"}
	eventKind          = schema.GroupKind{Kind: "Event"}
	serviceKind        = schema.GroupKind{Kind: "Service"}
	configMapKind      = schema.GroupKind{Kind: "ConfigMap"}
	deploymentKind     = schema.GroupKind{Group: "apps", Kind: "Deployment"}
	replicaSetKind     = schema.GroupKind{Group: "apps", Kind: "ReplicaSet"}
	statefulSetKind    = schema.GroupKind{Group: "apps", Kind: "StatefulSet"}
	daemonSetKind      = schema.GroupKind{Group: "apps", Kind: "DaemonSet"}
	jobKind            = schema.GroupKind{Group: "batch", Kind: "Job"}
	claimKind          = schema.GroupKind{Kind: "PersistentVolumeClaim"}
	classKind          = schema.GroupKind{Group: "storage.k8s.io", Kind: "StorageClass"}
	virtualServiceKind = schema.GroupKind{Group: "networking.istio.io", Kind: "VirtualService"}
	templateKind       = schema.GroupKind{Group: "templates.gatekeeper.sh", Kind: "ConstraintTemplate"}
	nodePoolKind       = schema.GroupKind{Group: "karpenter.sh", Kind: "NodePool"}
	endpointSliceKind  = schema.GroupKind{Group: "discovery.k8s.io", Kind: "EndpointSlice"}
	ingressKind        = schema.GroupKind{Group: "networking.k8s.io", Kind: "Ingress"}
	routeKind          = schema.GroupKind{Group: "gateway.networking.k8s.io", Kind: "HTTPRoute"}
	gatewayKind        = schema.GroupKind{Group: "gateway.networking.k8s.io", Kind: "Gateway"}
	mutatingKind       = schema.GroupKind{Group: "admissionregistration.k8s.io", Kind: "MutatingWebhookConfiguration"}
	validatingKind     = schema.GroupKind{Group: "admissionregistration.k8s.io", Kind: "ValidatingWebhookConfiguration"}
	definitionKind     = schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}
	mpiJobKind         = schema.GroupKind{Group: "kubeflow.org", Kind: "MPIJob"}
	ruleKind           = schema.GroupKind{Group: "networking.istio.io", Kind: "DestinationRule"}
)

const kubeflow = "kubeflow" // the namespace that every release up to now lives in

// items returns the items of a list that are objects.
func items(o map[string]any, fields ...string) []map[string]any {
	list, _, _ := unstructured.NestedFieldNoCopy(o, fields...)
	items, _ := list.([]any)
	var out []map[string]any
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// text returns a string field, "" when it is not there.
func text(o map[string]any, fields ...string) string {
	s, _, _ := unstructured.NestedString(o, fields...)
	return s
}

// kindName names an object in a message: "Deployment kubeflow/mpi-operator".
func kindName(o *unstructured.Unstructured) string {
	if o.GetNamespace() == "" {
		return o.GetKind() + " " + o.GetName()
	}
	return o.GetKind() + " " + o.GetNamespace() + "/" + o.GetName()
}

// words returns a field that is a list of strings.
func words(o map[string]any, fields ...string) []string {
	list, _, _ := unstructured.NestedStringSlice(o, fields...)
	return list
}

// container returns the container of a workload's pods with this name; without such a one, the first.
func container(workload *unstructured.Unstructured, name string) map[string]any {
	list := items(workload.Object, "spec", "template", "spec", "containers")
	for _, c := range list {
		if c["name"] == name {
			return c
		}
	}
	if len(list) == 0 {
		return map[string]any{}
	}
	return list[0]
}

// imageTag splits an image into its repository and its tag; a digest is dropped, no tag is "latest" unless there is a digest.
func imageTag(image string) (repository, tag string) {
	image, _, pinned := strings.Cut(image, "@")
	if colon := strings.LastIndex(image, ":"); colon > strings.LastIndex(image, "/") {
		return image[:colon], image[colon+1:]
	}
	if pinned {
		return image, ""
	}
	return image, "latest"
}

// names joins what objects are called: "a, b and c"; of many, the first few and how many more.
func names[T any](list []T, name func(T) string) string {
	const most = 4
	var out []string
	for _, item := range list {
		out = append(out, name(item))
	}
	if len(out) > most+1 {
		more := len(out) - most
		return strings.Join(out[:most], ", ") + " and " + itoa(more) + " more"
	}
	if len(out) < 2 {
		return strings.Join(out, "")
	}
	return strings.Join(out[:len(out)-1], ", ") + " and " + out[len(out)-1]
}
