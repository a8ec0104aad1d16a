package certificates

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var Expiry = &doctor.Check{
	ID:    "certificates/expiry",
	Title: "No certificate is expired or about to expire",
	Why: "cert-manager renews a certificate after two thirds of its lifetime. If renewal fails, nothing is noticed until the certificate " +
		"expires; then webhooks and HTTPS on the dashboard fail at once.",
	FixNote: "No automatic fix: the remedy depends on why it was not renewed. Deleting the certificate's Secret makes cert-manager reissue it.",
	Sources: []string{"https://cert-manager.io/docs/usage/certificate/"},
	Reads:   []schema.GroupKind{certificateKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		list, err := e.List(ctx, certificateKind, cluster.Scope{})
		if err != nil {
			return nil, err
		}
		var findings []doctor.Finding
		for _, c := range list {
			end, err := time.Parse(time.RFC3339, kube.Text(c.Object, "status", "notAfter"))
			if err != nil {
				continue // not issued yet: certificates/cert-manager reports it
			}
			now, err := e.Now(ctx)
			if err != nil {
				return nil, err
			}
			if f := expiryFinding(c, end, now); f != nil {
				findings = append(findings, *f)
			}
		}
		return findings, nil
	},
}

// expiryFinding compares with the planned renewal time, because lifetimes range from a day to years.
func expiryFinding(c *unstructured.Unstructured, end, now time.Time) *doctor.Finding {
	const (
		grace = time.Hour
		soon  = 14 * 24 * time.Hour
	)
	due, err := time.Parse(time.RFC3339, kube.Text(c.Object, "status", "renewalTime"))
	if err != nil {
		due = end.Add(-soon)
	}
	if now.Before(due.Add(grace)) {
		return nil
	}
	f := &doctor.Finding{
		Severity:    doctor.Warning,
		About:       doctor.Subject{Ref: cluster.RefOf(c), Field: "status.notAfter"},
		Message:     fmt.Sprintf("%s is overdue for renewal and expires on %s", kube.KindName(c), end.UTC().Format(time.DateTime)),
		Consequence: "After that, components that use it are not trusted.",
		ExplainedBy: "certificates/cert-manager",
		Advice:      "Check its status and events; deleting its Secret makes cert-manager reissue it.",
		Command:     fmt.Sprintf("kubectl describe certificate -n %s %s", escape.Word(c.GetNamespace()), escape.Word(c.GetName())),
	}
	if !now.Before(end) {
		f.Severity = doctor.Error
		f.Message = fmt.Sprintf("%s expired on %s", kube.KindName(c), end.UTC().Format(time.DateTime))
		f.Consequence = "Components that use it are not trusted."
	}
	return f
}
