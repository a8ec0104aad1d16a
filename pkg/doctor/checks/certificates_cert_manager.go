package checks

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var certificateKind = schema.GroupKind{Group: "cert-manager.io", Kind: "Certificate"}

var certManager = &doctor.Check{
	ID:    "certificates/cert-manager",
	Title: "cert-manager runs and issues what is asked for",
	Why: "The webhooks of Kubeflow show certificates that cert-manager issues and renews. While it does not run nothing fails at once; then a certificate runs out, and nothing that the webhook is " +
		"asked about can be made any more.",
	Cure:    "Nothing by itself: why it does not run, or does not issue, decides what helps.",
	Sources: []string{"https://cert-manager.io/docs/troubleshooting/"},
	Reads:   []schema.GroupKind{deploymentKind, certificateKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		all, err := e.List(ctx, certificateKind, cluster.Scope{})
		if err != nil {
			return nil, err
		}
		deployments, err := e.List(ctx, deploymentKind, cluster.Scope{Namespace: "cert-manager"})
		if err != nil {
			return nil, err
		}
		var findings []doctor.Finding
		for _, d := range deployments {
			if c, said := condition(d, "Available"); said && text(c, "status") == "False" {
				findings = append(findings, judgeCertManager(d, c))
			}
		}
		down := len(findings) > 0
		for _, certificate := range all {
			if c, said := condition(certificate, "Ready"); said && text(c, "status") == "False" && text(c, "reason") != "Issuing" {
				findings = append(findings, judgeCertificate(certificate, c, down))
			}
		}
		return findings, nil
	},
}

// condition returns the condition of an object with this type.
func condition(o *unstructured.Unstructured, kind string) (map[string]any, bool) {
	for _, c := range items(o.Object, "status", "conditions") {
		if text(c, "type") == kind {
			return c, true
		}
	}
	return nil, false
}

func judgeCertManager(d *unstructured.Unstructured, c map[string]any) doctor.Finding {
	return doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(d), Field: "status.conditions"},
		Message:     d.GetName() + " does not run",
		Consequence: "Certificates are neither issued nor renewed, and webhooks are not told of them.",
		Cause:       text(c, "message"),
		Advice:      "See what its pods wait for.",
		Command:     "kubectl describe deployment -n cert-manager " + d.GetName(),
	}
}

func judgeCertificate(o *unstructured.Unstructured, c map[string]any, down bool) doctor.Finding {
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(o), Field: "status.conditions"},
		Message:     fmt.Sprintf("certificate %s is not there", o.GetName()),
		Consequence: "What shows it is not trusted, or does not start.",
		Cause:       text(c, "message"),
		Advice:      "Its CertificateRequests and Orders say what the issuer answered.",
		Command:     fmt.Sprintf("kubectl describe certificate -n %s %s", o.GetNamespace(), o.GetName()),
	}
	if down {
		f.Advice = "Make cert-manager run first."
	}
	return f
}
