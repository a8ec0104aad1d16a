package install

import (
	"context"
	"fmt"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/auth"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/apply"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
)

// settles reports whether an install ends with the doctor's checks: when it has changed a whole Kubeflow and has waited for it. An upgrade
// always does: one that was interrupted after its last object is completed so.
func (o *installOptions) settles(plan *kubeflow.InstallPlan, result *apply.Result) bool {
	return o.wait && plan.Complete() && (o.upgrading != nil || result.Changed+len(result.Pruned) > 0)
}

// confirmSettling asks before pods are restarted, unless the question about the plan said so.
func (o *installOptions) confirmSettling(plan *kubeflow.InstallPlan) func(context.Context, doctor.FixPlan) ([]doctor.Proposal, error) {
	if plan.Writes() > 0 || o.yes {
		return nil
	}
	return func(ctx context.Context, fixes doctor.FixPlan) ([]doctor.Proposal, error) {
		if !o.Screen().Interactive {
			return nil, nil // the verdict names what is left, and the command that fixes it
		}
		if err := o.Screen().Plan(fixes); err != nil {
			return nil, err
		}
		if yes, err := o.Screen().Confirm(ctx, "Apply these changes?"); err != nil || !yes {
			return nil, err
		}
		return fixes.Apply, nil
	}
}

// A health is the verdict of the doctor's checks in the document of an install.
type health struct {
	Errors   int                `json:"errors"`
	Warnings int                `json:"warnings"`
	Findings []string           `json:"findings,omitempty"` // the messages of errors, with the checks' IDs
	Fixes    []doctor.FixResult `json:"fixes,omitempty"`    // of what the install left behind

	DefaultPassword string `json:"defaultPassword,omitempty"` // the user who still has it
}

func healthOf(report *doctor.Report) *health {
	if report == nil {
		return nil
	}
	h := &health{Errors: report.Summary.Error, Warnings: report.Summary.Warning, Fixes: report.Fixes}
	for _, c := range report.Checks {
		if c.ID == auth.Password.ID && c.Status == doctor.Found {
			h.DefaultPassword = auth.DefaultUser
		}
		for _, f := range c.Findings {
			if f.Severity == doctor.Error {
				h.Findings = append(h.Findings, fmt.Sprintf("%s (%s)", f.Message, c.ID))
			}
		}
	}
	return h
}

// maxErrors is how many errors the end of an install lists.
const maxErrors = 3

// printHealth prints the verdict as the last lines of an install, and what to do next as commands.
func (o *installOptions) printHealth(h *health, changed bool) {
	if h.Errors > 0 {
		fmt.Fprintf(o.Out, "Kubeflow is degraded: doctor finds %s\n", text.Plural(h.Errors, "error"))
		for _, line := range text.Lines(h.Findings, maxErrors) {
			fmt.Fprintf(o.Out, "  %s\n", line)
		}
		fmt.Fprintln(o.Out, "Next: kubectl kubeflow doctor, then kubectl kubeflow doctor --fix")
		return
	}
	if !changed && len(h.Fixes) == 0 {
		fmt.Fprintln(o.Out, nextOfReady)
		return
	}
	row := func(name, text string) { o.Screen().Hanging(o.Out, fmt.Sprintf("  %-8s ", name), 11, text) }
	row("Open", "kubectl kubeflow dashboard")
	if h.DefaultPassword != "" {
		row("Sign in", h.DefaultPassword+", default password   "+o.Screen().Warning()+" change it: kubectl kubeflow auth password")
	}
	row("Expose", "kubectl kubeflow expose --lb --internal")
	row("Test", "kubectl kubeflow verify")
	if h.Warnings > 0 {
		row("Check", text.Plural(h.Warnings, "warning")+": kubectl kubeflow doctor")
	}
}

// verdictOf is the error of an install that ended with errors.
func verdictOf(h *health) error {
	if h != nil && h.Errors > 0 {
		return cli.ErrFound
	}
	return nil
}
