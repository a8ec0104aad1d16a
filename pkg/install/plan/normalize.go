package plan

import (
	"encoding/base64"
	"encoding/pem"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// Normalize returns a copy of a rendered object without the fields that the server or a controller sets. Applying those
// would take them from their owner at every run.
func Normalize(o *unstructured.Unstructured) *unstructured.Unstructured {
	o = o.DeepCopy()
	delete(o.Object, "status")
	unstructured.RemoveNestedField(o.Object, "metadata", "creationTimestamp")
	switch o.GroupVersionKind().GroupKind().String() {
	case "MutatingWebhookConfiguration.admissionregistration.k8s.io", "ValidatingWebhookConfiguration.admissionregistration.k8s.io":
		for _, w := range kube.Items(o.Object, "webhooks") {
			dropPlaceholder(w, "clientConfig")
		}
	case "Secret":
		encodeStrings(o)
	case "CustomResourceDefinition.apiextensions.k8s.io":
		dropPlaceholder(o.Object, "spec", "conversion", "webhook", "clientConfig")
		dropPlaceholder(o.Object, "spec", "conversion", "webhookClientConfig")
	case "APIService.apiregistration.k8s.io":
		dropPlaceholder(o.Object, "spec")
	case "ClusterRole.rbac.authorization.k8s.io":
		if _, aggregated, _ := unstructured.NestedMap(o.Object, "aggregationRule"); aggregated {
			delete(o.Object, "rules")
		}
	}
	return o
}

// dropAutoscaledReplicas removes the replica count of each workload that a HorizontalPodAutoscaler of the request scales.
func dropAutoscaledReplicas(all []*desired) {
	sized := map[cluster.Ref]bool{}
	for _, w := range all {
		if w.ref.GroupKind().String() == "HorizontalPodAutoscaler.autoscaling" {
			target := kube.Map(w.object.Object, "spec", "scaleTargetRef")
			ref := cluster.Ref{APIVersion: kube.Text(target, "apiVersion"), Kind: kube.Text(target, "kind"), Namespace: w.ref.Namespace, Name: kube.Text(target, "name")}
			sized[ref.Identity()] = true
		}
	}
	for _, w := range all {
		if sized[w.ref] {
			unstructured.RemoveNestedField(w.object.Object, "spec", "replicas")
		}
	}
}

// encodeStrings moves a Secret's stringData into data, where the server stores it, so that managedFields show who changed
// a value.
func encodeStrings(o *unstructured.Unstructured) {
	values, found, err := unstructured.NestedStringMap(o.Object, "stringData")
	if !found || err != nil {
		return
	}
	data, _, _ := unstructured.NestedMap(o.Object, "data")
	if data == nil {
		data = map[string]any{}
	}
	for key, value := range values {
		data[key] = base64.StdEncoding.EncodeToString([]byte(value))
	}
	o.Object["data"] = data
	delete(o.Object, "stringData")
}

// dropPlaceholder removes a caBundle that holds no certificate: the real one is injected once it exists.
func dropPlaceholder(o map[string]any, path ...string) {
	holder, found, err := unstructured.NestedFieldNoCopy(o, path...)
	fields, ok := holder.(map[string]any)
	if !found || err != nil || !ok {
		return
	}
	if bundle, there := fields["caBundle"]; there && !holdsCertificate(bundle) {
		delete(fields, "caBundle")
	}
}

func holdsCertificate(bundle any) bool {
	text, _ := bundle.(string)
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return false
	}
	block, _ := pem.Decode(data)
	return block != nil
}
