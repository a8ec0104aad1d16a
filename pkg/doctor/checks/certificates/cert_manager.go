package certificates

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var certificateKind = schema.GroupKind{Group: "cert-manager.io", Kind: "Certificate"}

var CertManager = &doctor.Check{
	ID:    "certificates/cert-manager",
	Title: "cert-manager is available and its certificates are ready",
	Why: "Kubeflow's webhooks use certificates that cert-manager issues and renews. While cert-manager is down nothing fails at first; once " +
		"a certificate expires, the API server rejects every object that the webhook should review.",
	FixNote: "No automatic fix: the remedy depends on why it is not running, or not issuing.",
	Sources: []string{"https://cert-manager.io/docs/troubleshooting/"},
	Reads:   []schema.GroupKind{kube.DeploymentKind, certificateKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		all, err := e.List(ctx, certificateKind, cluster.Scope{})
		if err != nil {
			return nil, err
		}
		deployments, err := e.List(ctx, kube.DeploymentKind, cluster.Scope{Namespace: "cert-manager"})
		if err != nil {
			return nil, err
		}
		var findings []doctor.Finding
		for _, d := range deployments {
			if c := kube.Condition(d, "Available"); c != nil && c.Status == metav1.ConditionFalse {
				findings = append(findings, deploymentFinding(d, c))
			}
		}
		down := len(findings) > 0
		for _, certificate := range all {
			if c := kube.Condition(certificate, "Ready"); c != nil && c.Status == metav1.ConditionFalse && c.Reason != "Issuing" {
				findings = append(findings, notReadyFinding(certificate, c, down))
			}
		}
		return findings, nil
	},
}

func deploymentFinding(d *unstructured.Unstructured, c *metav1.Condition) doctor.Finding {
	return doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(d), Field: "status.conditions"},
		Message:     kube.KindName(d) + " is not available",
		Consequence: "Certificates are neither issued nor renewed, and CA bundles are not updated.",
		Cause:       c.Message,
		Advice:      "Check why its pods are not ready.",
		Command:     "kubectl describe deployment -n cert-manager " + d.GetName(),
	}
}

func notReadyFinding(o *unstructured.Unstructured, c *metav1.Condition, down bool) doctor.Finding {
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(o), Field: "status.conditions"},
		Message:     kube.KindName(o) + " is not ready",
		Consequence: "Components that use it are not trusted, or do not start.",
		Cause:       c.Message,
		Advice:      "Its CertificateRequests and Orders show the issuer's response.",
		Command:     fmt.Sprintf("kubectl describe certificate -n %s %s", o.GetNamespace(), o.GetName()),
	}
	if down {
		f.Advice = "Fix cert-manager first."
	}
	return f
}
