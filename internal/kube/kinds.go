package kube

import "k8s.io/apimachinery/pkg/runtime/schema"

// Kubernetes' own kinds that this program reads or writes.
var (
	ConfigMapKind             = schema.GroupKind{Kind: "ConfigMap"}
	EventKind                 = schema.GroupKind{Kind: "Event"}
	NamespaceKind             = schema.GroupKind{Kind: "Namespace"}
	NodeKind                  = schema.GroupKind{Kind: "Node"}
	PersistentVolumeClaimKind = schema.GroupKind{Kind: "PersistentVolumeClaim"}
	PersistentVolumeKind      = schema.GroupKind{Kind: "PersistentVolume"}
	PodKind                   = schema.GroupKind{Kind: "Pod"}
	ResourceQuotaKind         = schema.GroupKind{Kind: "ResourceQuota"}
	SecretKind                = schema.GroupKind{Kind: "Secret"}
	ServiceAccountKind        = schema.GroupKind{Kind: "ServiceAccount"}
	ServiceKind               = schema.GroupKind{Kind: "Service"}

	DaemonSetKind   = schema.GroupKind{Group: "apps", Kind: "DaemonSet"}
	DeploymentKind  = schema.GroupKind{Group: "apps", Kind: "Deployment"}
	ReplicaSetKind  = schema.GroupKind{Group: "apps", Kind: "ReplicaSet"}
	StatefulSetKind = schema.GroupKind{Group: "apps", Kind: "StatefulSet"}
	JobKind         = schema.GroupKind{Group: "batch", Kind: "Job"}

	APIServiceKind                     = schema.GroupKind{Group: "apiregistration.k8s.io", Kind: "APIService"}
	CertificateSigningRequestKind      = schema.GroupKind{Group: "certificates.k8s.io", Kind: "CertificateSigningRequest"}
	CustomResourceDefinitionKind       = schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}
	EndpointSliceKind                  = schema.GroupKind{Group: "discovery.k8s.io", Kind: "EndpointSlice"}
	IngressKind                        = schema.GroupKind{Group: "networking.k8s.io", Kind: "Ingress"}
	LeaseKind                          = schema.GroupKind{Group: "coordination.k8s.io", Kind: "Lease"}
	MutatingWebhookConfigurationKind   = schema.GroupKind{Group: "admissionregistration.k8s.io", Kind: "MutatingWebhookConfiguration"}
	NetworkPolicyKind                  = schema.GroupKind{Group: "networking.k8s.io", Kind: "NetworkPolicy"}
	RoleBindingKind                    = schema.GroupKind{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}
	StorageClassKind                   = schema.GroupKind{Group: "storage.k8s.io", Kind: "StorageClass"}
	ValidatingWebhookConfigurationKind = schema.GroupKind{Group: "admissionregistration.k8s.io", Kind: "ValidatingWebhookConfiguration"}
)

// Kubeflow's kinds that more than one package reads or writes.
var (
	NotebookKind   = schema.GroupKind{Group: "kubeflow.org", Kind: "Notebook"}
	PodDefaultKind = schema.GroupKind{Group: "kubeflow.org", Kind: "PodDefault"}
	ProfileKind    = schema.GroupKind{Group: "kubeflow.org", Kind: "Profile"}
)
