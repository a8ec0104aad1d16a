package plan

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

// What applied a whole webhook configuration before is no controller: its fields are taken over, and leaving them out of the manifests would
// reset them to the API server's defaults.
func TestOnlyControllersKeepFieldsOfWebhooks(t *testing.T) {
	for manager, keeps := range map[string]bool{
		"pilot-discovery": true, "admissionsenforcer": true, "cainjector": true,
		"kubectl": false, "kubectl-client-side-apply": false, "kfctl": false, "argocd-controller": false, "kustomize-controller": false, "helm": false,
	} {
		live := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration"}}
		live.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: manager, Operation: metav1.ManagedFieldsOperationUpdate,
			FieldsV1: metav1.NewFieldsV1(`{"f:webhooks":{"k:{\"name\":\"a\"}":{"f:failurePolicy":{},"f:namespaceSelector":{}}}}`)}})
		ours := live.DeepCopy()
		ours.Object["webhooks"] = []any{map[string]any{"name": "a", "failurePolicy": "Ignore", "namespaceSelector": map[string]any{}}}
		w := kube.Items(withoutControllerFields(ours, live).Object, "webhooks")[0]
		if _, applied := w["failurePolicy"]; applied == keeps {
			t.Errorf("%s: failurePolicy is applied: %v", manager, applied)
		}
		if _, applied := w["namespaceSelector"]; applied == keeps {
			t.Errorf("%s: namespaceSelector is applied: %v", manager, applied)
		}
	}
}
