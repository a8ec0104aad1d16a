package certificates

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

const injectAnnotation = "cert-manager.io/inject-ca-from"

var CaBundles = &doctor.Check{
	ID:    "certificates/ca-bundles",
	Title: "The API server trusts webhook certificates",
	Why: "A webhook configuration carries the CA bundle that its certificate is verified against. cert-manager's cainjector fills it in " +
		"from the Certificate named in an annotation. If that Certificate is missing, or nothing was injected, the API server rejects the " +
		"webhook's responses: x509, certificate signed by unknown authority.",
	FixNote: "No automatic fix: the annotation comes from the manifests. Install again to restore the Certificate, or get cainjector running.",
	Sources: []string{"kubeflow/manifests#2553", "kubeflow/manifests#2816", "kserve/kserve#3187"},
	Reads:   []schema.GroupKind{kube.MutatingWebhookConfigurationKind, kube.ValidatingWebhookConfigurationKind, certificateKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		var findings []doctor.Finding
		for _, kind := range []schema.GroupKind{kube.MutatingWebhookConfigurationKind, kube.ValidatingWebhookConfigurationKind} {
			configurations, err := e.List(ctx, kind, cluster.Scope{})
			if err != nil {
				return nil, err
			}
			for _, o := range configurations {
				f, err := bundleFindings(ctx, e, o)
				if err != nil {
					return nil, err
				}
				findings = append(findings, f...)
			}
		}
		return findings, nil
	},
}

func bundleFindings(ctx context.Context, e doctor.Exam, o *unstructured.Unstructured) ([]doctor.Finding, error) {
	namespace, name, named := strings.Cut(o.GetAnnotations()[injectAnnotation], "/")
	if !named {
		return nil, nil
	}
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(o), Field: "metadata.annotations"},
		Consequence: "The API server does not trust the webhook: requests that it should review are rejected, or skip it.",
	}
	certificates, err := e.List(ctx, certificateKind, cluster.Scope{}) // as the other checks list them
	exists := slices.ContainsFunc(certificates, func(c *unstructured.Unstructured) bool { return c.GetNamespace() == namespace && c.GetName() == name })
	switch {
	case err == nil && !exists:
		f.Message = fmt.Sprintf("%s takes its CA bundle from Certificate %s/%s, which does not exist", kube.KindName(o), namespace, name)
		f.Advice = "Install again: the same command restores missing objects."
		f.Command = "kubectl kubeflow install --diff"
		return []doctor.Finding{f}, nil
	case err != nil:
		return nil, err
	}
	if o.GetUID() == "" { // not on a cluster yet: cainjector has not seen it
		return nil, nil
	}
	for i, w := range kube.Items(o.Object, "webhooks") {
		if bundle := kube.Text(w, "clientConfig", "caBundle"); bundle == "" || bundle == "Cg==" {
			f.About.Field = fmt.Sprintf("webhooks[%d].clientConfig.caBundle", i)
			f.Message = fmt.Sprintf("%s has an empty caBundle: cert-manager has not injected the certificate authority", kube.KindName(o))
			f.Advice = "Check that cert-manager-cainjector is running and the Certificate is ready; restarting cainjector makes it inject again."
			f.Command = "kubectl rollout restart deployment -n cert-manager cert-manager-cainjector"
			return []doctor.Finding{f}, nil
		}
	}
	return nil, nil
}
