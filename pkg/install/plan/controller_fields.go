package plan

import (
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
)

// controllerFields are the fields of a webhook that a controller may take over: the namespaceSelector, by AKS's admissions
// enforcer; the failurePolicy, by the webhook's server when it is up; an injected caBundle. Applying them again would only
// make both sides overwrite each other.
var controllerFields = [][]string{{"namespaceSelector"}, {"failurePolicy"}, {"clientConfig", "caBundle"}}

func IsWebhookConfiguration(o *unstructured.Unstructured) bool {
	kind := o.GroupVersionKind().GroupKind()
	return kind == kube.MutatingWebhookConfigurationKind || kind == kube.ValidatingWebhookConfigurationKind
}

// omitControllerFields removes from webhook configurations the fields that a controller has taken over.
func (l *liveState) omitControllerFields(objects []Gated) {
	for i, g := range objects {
		if !IsWebhookConfiguration(g.Object) {
			continue
		}
		for _, theirs := range l.webhooks {
			if theirs.GetName() == g.Object.GetName() && theirs.GetKind() == g.Object.GetKind() {
				objects[i].Object = withoutControllerFields(g.Object, theirs)
			}
		}
	}
}

func withoutControllerFields(ours, live *unstructured.Unstructured) *unstructured.Unstructured {
	out := ours.DeepCopy()
	for _, w := range kube.Items(out.Object, "webhooks") {
		for _, path := range controllerFields {
			if controllerMayOwn(ours, path) && ownsField(live, kube.Text(w, "name"), path, isController) {
				unstructured.RemoveNestedField(w, path...)
			}
		}
	}
	return out
}

// overridden reports whether a client other than a controller changed one of these fields since it was applied.
func overridden(ours, live *unstructured.Unstructured) bool {
	for _, w := range kube.Items(ours.Object, "webhooks") {
		for _, path := range controllerFields {
			_, wanted, _ := unstructured.NestedFieldNoCopy(w, path...)
			name := kube.Text(w, "name")
			if wanted && !ownsField(live, name, path, AppliedByInstall) && !(controllerMayOwn(ours, path) && ownsField(live, name, path, isController)) {
				return true
			}
		}
	}
	return false
}

// controllerMayOwn reports whether a controller may keep a field that it took over. It may not keep the namespaceSelector if
// the object has the label or annotation that opts out of AKS's admissions enforcer.
func controllerMayOwn(o *unstructured.Unstructured, path []string) bool {
	const mark = "admissions.enforcer/disabled"
	return path[0] != "namespaceSelector" || o.GetAnnotations()[mark] != "true" && o.GetLabels()[mark] != "true"
}

// isController reports whether a manager is a program that serves or guards webhooks: neither kubectl, nor this program, nor another one that
// applies whole manifests, whose fields an install takes over.
func isController(entry metav1.ManagedFieldsEntry) bool {
	return !strings.HasPrefix(entry.Manager, "kubectl") && !slices.Contains(appliers, entry.Manager)
}

// ownsField reports whether one of the selected managers owns a field of a webhook.
func ownsField(live *unstructured.Unstructured, webhook string, path []string, by func(metav1.ManagedFieldsEntry) bool) bool {
	at := []string{"f:webhooks", `k:{"name":` + strconv.Quote(webhook) + `}`}
	for _, step := range path {
		at = append(at, "f:"+step)
	}
	return slices.ContainsFunc(live.GetManagedFields(), func(entry metav1.ManagedFieldsEntry) bool {
		if !by(entry) || entry.FieldsV1 == nil {
			return false
		}
		_, found, _ := unstructured.NestedFieldNoCopy(inventory.DecodeFields(entry.FieldsV1.GetRawBytes()), at...)
		return found
	})
}

// dropControllerFields removes the controller fields from a set of owned fields.
func dropControllerFields(fields map[string]any) map[string]any {
	for _, w := range kube.Map(fields, "f:webhooks") {
		if owned, ok := w.(map[string]any); ok {
			delete(owned, "f:namespaceSelector")
			delete(owned, "f:failurePolicy")
			unstructured.RemoveNestedField(owned, "f:clientConfig", "f:caBundle")
		}
	}
	return fields
}
