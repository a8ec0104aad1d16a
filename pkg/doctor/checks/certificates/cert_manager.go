package certificates

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
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

// The texts of the findings.
const (
	downMessage     = "%s is not available"
	downImpact      = "Certificates are neither issued nor renewed, and CA bundles are not updated."
	downAdvice      = "Check why its pods are not ready."
	notReadyMessage = "%s is not ready"
	notReadyImpact  = "Components that use it are not trusted, or do not start."
	notReadyAdvice  = "Its CertificateRequests and Orders show the issuer's response."
	downFirstAdvice = "Fix cert-manager first."
)

func deploymentFinding(d *unstructured.Unstructured, c *metav1.Condition) doctor.Finding {
	return doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(d), Field: "status.conditions"},
		Message:     fmt.Sprintf(downMessage, kube.KindName(d)),
		Consequence: downImpact,
		Cause:       c.Message,
		Advice:      downAdvice,
		Command:     "kubectl describe deployment -n cert-manager " + escape.Word(d.GetName()),
	}
}

func notReadyFinding(o *unstructured.Unstructured, c *metav1.Condition, down bool) doctor.Finding {
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(o), Field: "status.conditions"},
		Message:     fmt.Sprintf(notReadyMessage, kube.KindName(o)),
		Consequence: notReadyImpact,
		Cause:       c.Message,
		Advice:      notReadyAdvice,
		Command:     fmt.Sprintf("kubectl describe certificate -n %s %s", escape.Word(o.GetNamespace()), escape.Word(o.GetName())),
	}
	if down {
		f.Advice = downFirstAdvice
	}
	return f
}
