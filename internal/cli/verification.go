package cli

import (
	"context"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/verify"
)

// How long a test of verify, and all of them, may take unless the user says otherwise.
const (
	TestTimeout     = 5 * time.Minute
	AllTestsTimeout = 30 * time.Minute
)

// VerifyQuick runs the quick tests, as install and upgrade do at the end.
func (d *Deps) VerifyQuick(ctx context.Context, client *cluster.Client) (*verify.Report, error) {
	tests, _ := verify.Select(nil, false)
	report, err := d.Verify(ctx, client, verify.Options{Tests: tests, Timeout: TestTimeout, Overall: AllTestsTimeout})
	return report, VerifyVerdict(report, err)
}

// Verify runs tests and shows how they go. The error is why none could run.
func (d *Deps) Verify(ctx context.Context, client *cluster.Client, o verify.Options) (*verify.Report, error) {
	if release := kubeflow.InstalledRelease(ctx, client.View()); release != nil {
		o.Release = release.Version
	}
	progress := d.Screen().NewVerifyProgress(o.Tests)
	o.Observe = progress.Event
	o.Explain = func(ctx context.Context) ([]verify.Explanation, error) { return explanations(ctx, client) }
	report, err := verify.Run(ctx, client, o)
	progress.Done()
	if err != nil {
		report.Error = redact.Message(client.Explain(err).Error())
	}
	return report, err
}

// VerifyVerdict maps a report to the error of a command.
func VerifyVerdict(report *verify.Report, err error) error {
	timedOut := 0
	for _, r := range report.Results {
		if r.Failure != nil && r.Failure.TimedOut {
			timedOut++
		}
	}
	switch failed := report.Count(verify.Failed); {
	case err != nil:
		return err
	case failed > 0 && failed == timedOut:
		return &problem.Error{What: report.Summary(), Next: "Allow more time with --timeout, or find the cause with: kubectl kubeflow doctor", Err: context.DeadlineExceeded}
	case failed > 0 || len(report.Left) > 0:
		return ErrFound
	case report.Unchecked():
		return &problem.Error{What: report.Summary(), Next: "Ask the cluster's administrator for the permissions, or name another user with --context"}
	case report.Count(verify.Passed) == 0:
		return &problem.Error{What: "no test applies to this cluster", Next: "Install Kubeflow with: kubectl kubeflow install"}
	}
	return nil
}

// explanations are the findings of the doctor, without what other findings explain.
func explanations(ctx context.Context, client *cluster.Client) ([]verify.Explanation, error) {
	in, err := kubeflow.FromCluster(ctx, client)
	if err != nil {
		return nil, err
	}
	report, err := kubeflow.Diagnose(ctx, in, kubeflow.DiagnoseOptions{})
	if err != nil {
		return nil, err
	}
	var all []verify.Explanation
	for _, c := range report.Checks {
		for _, f := range c.Findings {
			if !f.Severity.AtLeast(doctor.Warning) || f.ExplainedBy != "" {
				continue
			}
			e := verify.Explanation{ID: c.ID, Message: f.Message, About: f.About.String(), Severe: f.Severity.AtLeast(doctor.Error)}
			if f.Fix != nil {
				e.Fix = f.Fix.Title
			}
			all = append(all, e)
		}
	}
	return all, nil
}
