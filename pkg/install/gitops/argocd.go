package gitops

import (
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// markWave sets the wave in which Argo CD applies an object.
func markWave(o *unstructured.Unstructured, wave int) {
	annotations := o.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations["argocd.argoproj.io/sync-wave"] = strconv.Itoa(wave)
	o.SetAnnotations(annotations)
}

// argoCD returns one Application of all waves: Argo CD orders waves only within an Application. Custom resources cannot be tried
// before their CRDs exist, so a missing kind skips the dry run. The CAs that controllers inject are no differences.
func argoCD(o Options, waves int) map[string][]any {
	ignored := func(group, kind string, expressions ...string) map[string]any {
		return map[string]any{"group": group, "kind": kind, "jqPathExpressions": expressions}
	}
	const admission = "admissionregistration.k8s.io"
	application := map[string]any{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
		"metadata": map[string]any{"name": o.Name, "namespace": "argocd"},
		"spec": map[string]any{
			"project":     "default",
			"source":      map[string]any{"repoURL": o.Repository, "targetRevision": o.Revision, "path": o.Path},
			"destination": map[string]any{"server": "https://kubernetes.default.svc"},
			"syncPolicy": map[string]any{
				"automated":   map[string]any{"prune": false, "selfHeal": false},
				"syncOptions": []string{"ServerSideApply=true", "SkipDryRunOnMissingResource=true", "RespectIgnoreDifferences=true"},
				"retry":       map[string]any{"limit": 5, "backoff": map[string]any{"duration": "30s", "factor": 2, "maxDuration": "5m"}},
			},
			"ignoreDifferences": []any{
				ignored(admission, "MutatingWebhookConfiguration", ".webhooks[]?.clientConfig.caBundle", ".webhooks[]?.failurePolicy", ".webhooks[]?.namespaceSelector"),
				ignored(admission, "ValidatingWebhookConfiguration", ".webhooks[]?.clientConfig.caBundle", ".webhooks[]?.failurePolicy", ".webhooks[]?.namespaceSelector"),
				ignored("apiextensions.k8s.io", "CustomResourceDefinition", ".spec.conversion.webhook.clientConfig.caBundle"),
			},
		},
	}
	return map[string][]any{kustomization: {kustomizationOf(folders(waves))}, "application.yaml": {application}}
}
