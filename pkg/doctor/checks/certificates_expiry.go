package checks

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var expiry = &doctor.Check{
	ID:    "certificates/expiry",
	Title: "no certificate has run out, or is about to",
	Why: "cert-manager renews a certificate when two thirds of its time are over. When it could not, everything goes on until the day the certificate runs out, and then webhooks and the " +
		"dashboard's address end at once.",
	Cure:    "Nothing by itself: why it was not renewed decides what helps. Deleting the Secret of the certificate makes cert-manager issue it anew.",
	Sources: []string{"https://cert-manager.io/docs/usage/certificate/"},
	Reads:   []schema.GroupKind{certificateKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		list, err := e.List(ctx, certificateKind, cluster.Scope{})
		if err != nil {
			return nil, err
		}
		var findings []doctor.Finding
		for _, c := range list {
			end, err := time.Parse(time.RFC3339, text(c.Object, "status", "notAfter"))
			if err != nil {
				continue // not issued yet: that is certificates/cert-manager's
			}
			now, err := e.Now(ctx)
			if err != nil {
				return nil, err
			}
			if f := judgeExpiry(c, end, now); f != nil {
				findings = append(findings, *f)
			}
		}
		return findings, nil
	},
}

// judgeExpiry goes by when the certificate should have been renewed: some live for a day, others for years.
func judgeExpiry(c *unstructured.Unstructured, end, now time.Time) *doctor.Finding {
	const (
		grace = time.Hour
		soon  = 14 * 24 * time.Hour
	)
	due, err := time.Parse(time.RFC3339, text(c.Object, "status", "renewalTime"))
	if err != nil {
		due = end.Add(-soon)
	}
	if now.Before(due.Add(grace)) {
		return nil
	}
	f := &doctor.Finding{
		Severity:    doctor.Warning,
		About:       doctor.Subject{Ref: cluster.RefOf(c), Field: "status.notAfter"},
		Message:     fmt.Sprintf("certificate %s was to be renewed and was not; it runs out on %s", c.GetName(), end.UTC().Format(time.DateTime)),
		Consequence: "From then on, what shows it is not trusted.",
		ExplainedBy: "certificates/cert-manager",
		Advice:      "See what cert-manager says of it; deleting its Secret makes cert-manager issue it anew.",
		Command:     fmt.Sprintf("kubectl describe certificate -n %s %s", c.GetNamespace(), c.GetName()),
	}
	if !now.Before(end) {
		f.Severity = doctor.Error
		f.Message = fmt.Sprintf("certificate %s ran out on %s", c.GetName(), end.UTC().Format(time.DateTime))
		f.Consequence = "What shows it is not trusted."
	}
	return f
}
