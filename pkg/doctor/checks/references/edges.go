package references

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

// An edge says that a field names an object.
type edge struct {
	from  []schema.GroupKind
	field string
	to    schema.GroupKind // zero where read tells
	// read returns what the value names; nil reads a name in the object's own namespace.
	read func(place) target
	// keys are fields below the map around the name that hold keys of the ConfigMap or Secret: "key", "items[].key".
	keys string
	// port returns the port of the Service that the object wants; nil where it wants none.
	port func(place) any
	// soft tells that what refers works without it for a while: a warning instead of an error.
	soft bool
	// stays tells that an uninstall or an upgrade leaves such objects behind, whatever they refer to.
	stays bool
	// anywhere tells that any namespace may have it: the objects that name it are created in those of users.
	anywhere bool
	// elsewhere tells that what is not on this cluster may be on another one that answers for it.
	elsewhere bool
	// effect says what does not work without it.
	effect string
}

var (
	priorityClassKind = schema.GroupKind{Group: "scheduling.k8s.io", Kind: "PriorityClass"}
	runtimeClassKind  = schema.GroupKind{Group: "node.k8s.io", Kind: "RuntimeClass"}
	cronJobKind       = schema.GroupKind{Group: "batch", Kind: "CronJob"}

	roleKind               = schema.GroupKind{Group: "rbac.authorization.k8s.io", Kind: "Role"}
	clusterRoleKind        = schema.GroupKind{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"}
	clusterRoleBindingKind = schema.GroupKind{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"}

	autoscalerKind       = schema.GroupKind{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}
	disruptionBudgetKind = schema.GroupKind{Group: "policy", Kind: "PodDisruptionBudget"}
	policyBindingKind    = schema.GroupKind{Group: "admissionregistration.k8s.io", Kind: "ValidatingAdmissionPolicyBinding"}
	admissionPolicyKind  = schema.GroupKind{Group: "admissionregistration.k8s.io", Kind: "ValidatingAdmissionPolicy"}

	virtualServiceKind  = schema.GroupKind{Group: "networking.istio.io", Kind: "VirtualService"}
	gatewayKind         = schema.GroupKind{Group: "networking.istio.io", Kind: "Gateway"}
	destinationRuleKind = schema.GroupKind{Group: "networking.istio.io", Kind: "DestinationRule"}
	serviceEntryKind    = schema.GroupKind{Group: "networking.istio.io", Kind: "ServiceEntry"}
	envoyFilterKind     = schema.GroupKind{Group: "networking.istio.io", Kind: "EnvoyFilter"}
	authorizationKind   = schema.GroupKind{Group: "security.istio.io", Kind: "AuthorizationPolicy"}
	authenticationKind  = schema.GroupKind{Group: "security.istio.io", Kind: "RequestAuthentication"}
	peerKind            = schema.GroupKind{Group: "security.istio.io", Kind: "PeerAuthentication"}

	certificateKind   = schema.GroupKind{Group: "cert-manager.io", Kind: "Certificate"}
	issuerKind        = schema.GroupKind{Group: "cert-manager.io", Kind: "Issuer"}
	clusterIssuerKind = schema.GroupKind{Group: "cert-manager.io", Kind: "ClusterIssuer"}

	compositeKind = schema.GroupKind{Group: "metacontroller.k8s.io", Kind: "CompositeController"}
	decoratorKind = schema.GroupKind{Group: "metacontroller.k8s.io", Kind: "DecoratorController"}

	inferenceKind      = schema.GroupKind{Group: "serving.kserve.io", Kind: "InferenceService"}
	servingRuntimeKind = schema.GroupKind{Group: "serving.kserve.io", Kind: "ClusterServingRuntime"}
	trainJobKind       = schema.GroupKind{Group: "trainer.kubeflow.org", Kind: "TrainJob"}
	trainRuntimeKind   = schema.GroupKind{Group: "trainer.kubeflow.org", Kind: "ClusterTrainingRuntime"}
	sidecarKind        = schema.GroupKind{Group: "networking.istio.io", Kind: "Sidecar"}

	// These are of Istio up to 1.5.
	ruleKind               = schema.GroupKind{Group: "config.istio.io", Kind: "rule"}
	handlerKind            = schema.GroupKind{Group: "config.istio.io", Kind: "handler"}
	instanceKind           = schema.GroupKind{Group: "config.istio.io", Kind: "instance"}
	serviceRoleKind        = schema.GroupKind{Group: "rbac.istio.io", Kind: "ServiceRole"}
	serviceRoleBindingKind = schema.GroupKind{Group: "rbac.istio.io", Kind: "ServiceRoleBinding"}
)

// templates are the kinds with a pod template, and where it is.
var templates = []struct {
	kind schema.GroupKind
	path string
}{

	{kube.DeploymentKind, "spec.template"}, {kube.StatefulSetKind, "spec.template"}, {kube.DaemonSetKind, "spec.template"}, {kube.JobKind, "spec.template"},
	{cronJobKind, "spec.jobTemplate.spec.template"},
}

// podEdges are the edges of pods, below the spec of a pod.
var podEdges = []edge{
	{field: "volumes[].configMap.name", to: kube.ConfigMapKind, keys: "items[].key", effect: podsWait},
	{field: "volumes[].secret.secretName", to: kube.SecretKind, keys: "items[].key", effect: podsWait},
	{field: "volumes[].projected.sources[].configMap.name", to: kube.ConfigMapKind, keys: "items[].key", effect: podsWait},
	{field: "volumes[].projected.sources[].secret.name", to: kube.SecretKind, keys: "items[].key", effect: podsWait},
	{field: "volumes[].persistentVolumeClaim.claimName", to: kube.PersistentVolumeClaimKind, effect: "Its pods cannot be scheduled."},
	{field: "{containers,initContainers}[].env[].valueFrom.configMapKeyRef.name", to: kube.ConfigMapKind, keys: "key", effect: podsWait},
	{field: "{containers,initContainers}[].env[].valueFrom.secretKeyRef.name", to: kube.SecretKind, keys: "key", effect: podsWait},
	{field: "{containers,initContainers}[].envFrom[].configMapRef.name", to: kube.ConfigMapKind, effect: podsWait},
	{field: "{containers,initContainers}[].envFrom[].secretRef.name", to: kube.SecretKind, effect: podsWait},
	{field: "serviceAccountName", to: kube.ServiceAccountKind, effect: "No pod can be created."},
	{field: "serviceAccount", to: kube.ServiceAccountKind, effect: "No pod can be created."},
	{field: "imagePullSecrets[].name", to: kube.SecretKind, soft: true, effect: "Images of a private registry cannot be pulled."},
	{field: "priorityClassName", to: priorityClassKind, effect: "No pod can be created."},
	{field: "runtimeClassName", to: runtimeClassKind, effect: "No pod can be created."},
}

const podsWait = "Its pods do not start: they wait in ContainerCreating or CreateContainerConfigError."

var (
	webhookKinds = []schema.GroupKind{kube.MutatingWebhookConfigurationKind, kube.ValidatingWebhookConfigurationKind}
	injected     = append([]schema.GroupKind{kube.CustomResourceDefinitionKind, kube.APIServiceKind}, webhookKinds...)
	bindings     = []schema.GroupKind{kube.RoleBindingKind, clusterRoleBindingKind}
)

// edges are all references but those of pods.
var edges = []edge{
	{from: one(kube.StatefulSetKind), field: "spec.serviceName", to: kube.ServiceKind, soft: true, effect: "Its pods have no DNS names of their own."},
	{from: bindings, field: "roleRef.name", read: role, effect: "The subjects do not get the permissions."},
	{from: bindings, field: "subjects[].name", read: subject, soft: true, effect: "Whoever uses another ServiceAccount does not get the permissions."},
	{from: one(autoscalerKind), field: "spec.scaleTargetRef.name", read: scaled, effect: "Nothing is scaled."},
	{from: webhookKinds, field: "webhooks[].clientConfig.service.name", read: beside(kube.ServiceKind), port: sibling("port", 443), effect: "The API server cannot call the webhook."},
	{from: one(kube.CustomResourceDefinitionKind), field: "spec.conversion.webhook.clientConfig.service.name", read: beside(kube.ServiceKind), port: sibling("port", 443), stays: true, effect: conversion},
	{from: one(kube.CustomResourceDefinitionKind), field: "spec.conversion.webhookClientConfig.service.name", read: beside(kube.ServiceKind), port: sibling("port", 443), stays: true, effect: conversion},
	{from: one(kube.APIServiceKind), field: "spec.service.name", read: beside(kube.ServiceKind), port: sibling("port", 443), effect: "The API server does not serve this API, and deletion of namespaces hangs."},
	{from: one(kube.IngressKind), field: "spec.defaultBackend.service.name", to: kube.ServiceKind, port: ingressPort, effect: noRoute},
	{from: one(kube.IngressKind), field: "spec.rules[].http.paths[].backend.service.name", to: kube.ServiceKind, port: ingressPort, effect: noRoute},
	{from: one(kube.PersistentVolumeClaimKind), field: "spec.storageClassName", to: kube.StorageClassKind, effect: noVolume},
	{from: one(kube.StatefulSetKind), field: "spec.volumeClaimTemplates[].spec.storageClassName", to: kube.StorageClassKind, effect: noVolume},
	{from: one(policyBindingKind), field: "spec.policyName", to: admissionPolicyKind, effect: "The policy is not enforced."},

	{from: one(virtualServiceKind), field: "spec.gateways[]", read: gateway, effect: noRoute},
	{from: one(virtualServiceKind), field: "spec.{http,tls,tcp}[].route[].destination.host", read: host, port: destinationPort, elsewhere: true, effect: noRoute},
	{from: one(destinationRuleKind), field: "spec.host", read: host, soft: true, effect: "The rule has no effect."},
	{from: one(authorizationKind), field: "spec.rules[].from[].source.principals[]", read: principal, soft: true, effect: "Requests of that ServiceAccount are not matched."},
	{from: one(authorizationKind), field: "spec.rules[].when[].values[]", read: principalCondition, soft: true, effect: "Requests of that ServiceAccount are not matched."},

	{from: one(authorizationKind), field: "spec.rules[].from[].source.{namespaces,notNamespaces}[]", to: kube.NamespaceKind, soft: true, effect: "Requests of that namespace are not matched."},
	{from: one(serviceRoleBindingKind), field: "spec.subjects[].properties.source~namespace", to: kube.NamespaceKind, soft: true, effect: "Requests of that namespace are not matched."},
	{from: one(serviceRoleBindingKind), field: "spec.roleRef.name", to: serviceRoleKind, effect: "Requests are answered with 403."},
	{from: one(ruleKind), field: "spec.actions[].handler", to: handlerKind, soft: true, effect: "The rule has no effect."},
	{from: one(ruleKind), field: "spec.actions[].instances[]", to: instanceKind, soft: true, effect: "The rule has no effect."},

	{from: one(certificateKind), field: "spec.dnsNames[]", read: host, soft: true, effect: "Clients of the Service do not trust its certificate."},
	{from: one(certificateKind), field: "spec.commonName", read: host, soft: true, effect: "Clients of the Service do not trust its certificate."},
	{from: one(certificateKind), field: "spec.issuerRef.name", read: issuer, effect: "The certificate is not issued."},
	{from: injected, field: "metadata.annotations.cert-manager~io/inject-ca-from", read: qualified(certificateKind), effect: "The API server does not trust the webhook."},
	{from: one(compositeKind, decoratorKind), field: "spec.hooks.{sync,finalize,customize}.webhook.url", read: address, effect: "Nothing is made for new profiles."},
	{from: one(inferenceKind), field: "spec.predictor.model.runtime", to: servingRuntimeKind, effect: "The model is not served."},
	{from: one(trainJobKind), field: "spec.runtimeRef.name", read: trainingRuntime, effect: "The job does not start."},
}

const (
	noVolume   = "No volume is provisioned, and its pods are not scheduled."
	noRoute    = "Requests are answered with 404 or 503."
	conversion = "Objects of this kind cannot be read or written at other versions."
)

func one[T any](list ...T) []T { return list }

// allEdges returns every edge, with those of pods for each kind that has pods.
func allEdges() []edge {
	list := edges
	for _, t := range templates {
		for _, e := range podEdges {
			e.from, e.field = one(t.kind), t.path+".spec."+e.field
			list = append(list[:len(list):len(list)], e)
		}
	}
	return list
}
