package platform

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var RemovedAPIs = &doctor.Check{
	ID:    "platform/removed-apis",
	Title: "Manifests use only APIs that Kubernetes still serves",
	Why: "Kubernetes removes beta APIs: newer servers reject a CRD, webhook configuration or role of such a version, and what depends on it " +
		"does not work. Kubeflow releases up to 1.7 use some of them, so they cannot be installed on the Kubernetes versions that AKS " +
		"offers today.",
	FixNote:   "No automatic fix: choose a newer release (kubectl kubeflow releases), or its manifests.",
	Sources:   []string{"kubeflow/kubeflow#6690", "https://kubernetes.io/docs/reference/using-api/deprecation-guide/"},
	Reads:     affectedKinds,
	Manifests: true,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		var unknowable *cluster.ErrUnknowable
		if _, err := e.Version(ctx); err == nil {
			return nil, doctor.Skip("a live cluster returns objects only at versions that it serves")
		} else if !errors.As(err, &unknowable) {
			return nil, err
		}
		old := map[string][]*unstructured.Unstructured{}
		for _, kind := range affectedKinds {
			objects, err := e.List(ctx, kind, cluster.Scope{})
			if err != nil {
				return nil, err
			}
			for _, o := range objects {
				if removedIn[o.GetAPIVersion()] != "" {
					old[o.GetAPIVersion()] = append(old[o.GetAPIVersion()], o)
				}
			}
		}
		return removedFindings(old), nil
	},
}

// removedIn maps an API version to the Kubernetes version that removed it.
var removedIn = map[string]string{
	"admissionregistration.k8s.io/v1beta1": "1.22", "apiextensions.k8s.io/v1beta1": "1.22", "apiregistration.k8s.io/v1beta1": "1.22",
	"networking.k8s.io/v1beta1": "1.22", "rbac.authorization.k8s.io/v1beta1": "1.22", "rbac.authorization.k8s.io/v1alpha1": "1.22",
	"autoscaling/v2beta1": "1.25", "autoscaling/v2beta2": "1.26", "batch/v1beta1": "1.25", "policy/v1beta1": "1.25",
}

// affectedKinds are the kinds that Kubeflow's manifests use at such versions.
var affectedKinds = []schema.GroupKind{
	kube.CustomResourceDefinitionKind, kube.MutatingWebhookConfigurationKind, kube.ValidatingWebhookConfigurationKind, kube.IngressKind,
	{Group: "apiregistration.k8s.io", Kind: "APIService"},
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"}, {Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"},
	{Group: "rbac.authorization.k8s.io", Kind: "Role"}, {Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"},
	{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}, {Group: "policy", Kind: "PodDisruptionBudget"}, {Group: "batch", Kind: "CronJob"},
}

func removedFindings(old map[string][]*unstructured.Unstructured) []doctor.Finding {
	var findings []doctor.Finding
	for api, objects := range old {
		findings = append(findings, doctor.Finding{
			Severity:    doctor.Warning,
			About:       doctor.Subject{Ref: cluster.RefOf(objects[0]), Field: "apiVersion"},
			Message:     fmt.Sprintf("API version %s, used by %s, was removed in Kubernetes %s", api, text.Plural(len(objects), "object"), removedIn[api]),
			Consequence: "Newer API servers reject " + text.Names(objects, text.Most, func(o *unstructured.Unstructured) string { return cluster.RefOf(o).String() }) + ".",
			Advice:      "Choose a release that was tested on your Kubernetes version.",
			Command:     "kubectl kubeflow releases",
		})
	}
	slices.SortFunc(findings, func(a, b doctor.Finding) int { return slices.Compare([]byte(a.Message), []byte(b.Message)) })
	return findings
}
