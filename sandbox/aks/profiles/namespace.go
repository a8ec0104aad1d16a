package profiles

import (
	"context"
	"maps"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/control"
)

var namespaces = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}

// namespace creates a Profile's namespace, or sets its labels. It returns why a namespace of somebody else was not taken over.
func (c controller) namespace(ctx context.Context, profile *unstructured.Unstructured) (refused string, err error) {
	user, _ := owner(profile)
	in := c.client.Resource(namespaces)
	have, err := in.Get(ctx, profile.GetName(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		made := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace"}}
		made.SetName(profile.GetName())
		made.SetAnnotations(map[string]string{"owner": user})
		made.SetLabels(c.label(map[string]string{"istio-injection": "enabled"}))
		control.OwnedBy(made, profile)
		_, err = in.Create(ctx, made, metav1.CreateOptions{FieldManager: control.Manager})
		return "", err
	}
	if err != nil {
		return "", err
	}
	if was, ok := have.GetAnnotations()["owner"]; !ok || was != user {
		return "namespace already exist, but not owned by profile creator " + user, nil
	}
	before := maps.Clone(have.GetLabels())
	labels := have.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	if labels = c.label(labels); maps.Equal(before, labels) {
		return "", nil
	}
	have.SetLabels(labels)
	_, err = in.Update(ctx, have, metav1.UpdateOptions{FieldManager: control.Manager})
	return "", err
}

// label adds the labels of profile namespaces. A label that exists is kept, and one without a value is removed.
func (c controller) label(labels map[string]string) map[string]string {
	for key, value := range c.defaults() {
		if _, ok := labels[key]; value == "" {
			delete(labels, key)
		} else if !ok {
			labels[key] = value
		}
	}
	return labels
}

// defaults returns the labels that the controller was configured with. Before Kubeflow 1.3 they were part of the program.
func (c controller) defaults() map[string]string {
	listed := map[string]string{}
	if text, ok := c.program.Files("namespace-labels")["namespace-labels.yaml"]; ok && yaml.Unmarshal([]byte(text), &listed) == nil {
		return listed
	}
	return map[string]string{
		"katib-metricscollector-injection":      "enabled",
		"serving.kubeflow.org/inferenceservice": "enabled",
		"pipelines.kubeflow.org/enabled":        "true",
		"app.kubernetes.io/part-of":             "kubeflow-profile",
	}
}
