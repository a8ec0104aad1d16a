package kube

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

// BuiltIn reports whether a kind belongs to an API group of Kubernetes itself, which needs no CustomResourceDefinition. Those
// that client-go has clients for are, and the two with which API servers are extended.
func BuiltIn(kind schema.GroupKind) bool {
	return scheme.Scheme.IsGroupRegistered(kind.Group) || kind.Group == CustomResourceDefinitionKind.Group || kind.Group == APIServiceKind.Group
}

// ClusterScoped reports whether objects of a built-in kind are in no namespace. A test compares it with client-go's clients.
// kyaml's table is not used: it ends with Kubernetes 1.21.
func ClusterScoped(kind schema.GroupKind) bool {
	return slices.Contains(clusterScoped[kind.Group], kind.Kind)
}

// DefinedKind returns the kind that a CustomResourceDefinition defines.
func DefinedKind(definition *unstructured.Unstructured) schema.GroupKind {
	return schema.GroupKind{Group: Text(definition.Object, "spec", "group"), Kind: Text(definition.Object, "spec", "names", "kind")}
}

var clusterScoped = map[string][]string{
	"":                             {"Namespace", "Node", "PersistentVolume", "ComponentStatus"},
	"admissionregistration.k8s.io": {"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"},
	"apiextensions.k8s.io":         {"CustomResourceDefinition"},
	"apiregistration.k8s.io":       {"APIService"},
	"certificates.k8s.io":          {"CertificateSigningRequest", "ClusterTrustBundle"},
	"extensions":                   {"PodSecurityPolicy"}, // until Kubernetes 1.16
	"flowcontrol.apiserver.k8s.io": {"FlowSchema", "PriorityLevelConfiguration"},
	"internal.apiserver.k8s.io":    {"StorageVersion"},
	"networking.k8s.io":            {"IngressClass", "IPAddress", "ServiceCIDR"},
	"node.k8s.io":                  {"RuntimeClass"},
	"policy":                       {"PodSecurityPolicy"}, // until Kubernetes 1.25
	"rbac.authorization.k8s.io":    {"ClusterRole", "ClusterRoleBinding"},
	"resource.k8s.io":              {"DeviceClass", "DeviceTaintRule", "ResourcePoolStatusRequest", "ResourceSlice"},
	"scheduling.k8s.io":            {"PriorityClass"},
	"storage.k8s.io":               {"StorageClass", "VolumeAttachment", "CSIDriver", "CSINode", "VolumeAttributesClass"},
	"storagemigration.k8s.io":      {"StorageVersionMigration"},
}
