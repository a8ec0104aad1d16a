package tls

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
)

func TestChangesBeyondTheConsentAreRefused(t *testing.T) {
	certificate := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": map[string]any{"name": expose.DashboardCertificate}}}
	secret := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": expose.DashboardCertificate}}}
	secret.SetLabels(dashboard.ManagedLabels)
	theirs := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "theirs"}}}
	deletes := func(o *unstructured.Unstructured) cluster.Change {
		return cluster.Change{Verb: cluster.Delete, Before: o}
	}
	agreed := &consent{Plan{Serve: []cluster.Change{deletes(certificate)}}}
	if err := agreed.check([]cluster.Change{deletes(certificate), deletes(secret)}); err != nil {
		t.Errorf("the Secret that a deleted Certificate leaves late: %v", err)
	}
	for name, more := range map[string]cluster.Change{"another owner's Secret": deletes(theirs), "another object": {Verb: cluster.Apply, After: &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a"}}}}} {
		if agreed.check([]cluster.Change{more}) == nil {
			t.Errorf("%s is changed without consent", name)
		}
	}
	if err := (&consent{}).check([]cluster.Change{deletes(secret)}); err == nil {
		t.Error("a Secret is deleted though no Certificate was to be")
	}
}
