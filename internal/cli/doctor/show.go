package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// verdict maps a report to the error of the command.
func (o *doctorOptions) verdict(r *doctor.Report) error {
	if r.Absent() {
		return &problem.Error{What: doctor.NoKubeflow, Next: "Install it with: kubectl kubeflow install"}
	}
	if r.Worst().AtLeast(doctor.Severity(o.failOn)) {
		if o.wait > 0 {
			return &problem.Error{What: fmt.Sprintf("problems remain after %s", o.wait), Next: o.next(r), Err: context.DeadlineExceeded}
		}
		return cli.ErrFound
	}
	if blind := r.Blind(); len(blind) > 0 {
		next := "Run the same command again. If the problem persists, check the API server: kubectl get --raw /readyz?verbose"
		if strings.HasPrefix(blind[0].Reason, "needs ") {
			next = "Grant this user the read permissions that doctor needs (see docs/rbac.md), or select another user with --context"
		}
		return &problem.Error{What: fmt.Sprintf("%d of %d checks could not run; the first is %s: %s", len(blind), len(r.Checks), blind[0].ID, blind[0].Reason), Next: next}
	}
	return nil
}

// show prints the report in the chosen form.
func (o *doctorOptions) show(r *doctor.Report) error {
	switch o.output {
	case "json", "yaml":
		return o.print(r)
	case "short":
		return o.Screen().ReportLines(r)
	case "markdown":
		return o.Screen().ReportMarkdown(r)
	case "junit":
		return o.Screen().ReportJUnit(r, doctor.Severity(o.failOn))
	case "prometheus":
		return o.Screen().ReportPrometheus(r)
	case "sarif":
		return o.Screen().ReportSARIF(r, o.checks, cli.PluginVersion())
	}
	return o.Screen().Report(r, ui.ReportStyle{Verbose: o.Verbosity > 0, Wide: o.output == "wide", Quiet: o.Quiet, Next: o.next(r)})
}

// next returns the command to suggest after a report.
func (o *doctorOptions) next(r *doctor.Report) string {
	if o.preflight {
		return o.nextInstall(r)
	}
	if o.filename != "" {
		return o.nextForManifests(r)
	}
	if o.from != "" {
		return ""
	}
	for _, t := range r.Fixes {
		if t.Run != "" {
			return "Undo: kubectl kubeflow doctor --undo=" + escape.Word(t.Run)
		}
	}
	plan := doctor.PlanFixes(r, nil)
	flags := ""
	for name, value := range map[string]string{"mpi": o.mpi, "mesh": o.mesh} {
		if value != "" {
			flags += fmt.Sprintf(" --%s=%s", name, value)
		}
	}
	for _, p := range plan.Refuse {
		if p.Fix.Impact == doctor.RestartsPods && o.Screen().Interactive {
			continue // it asks
		}
		flag := map[doctor.Impact]string{doctor.RestartsPods: " --allow-restart", doctor.LosesData: " --allow-data-loss"}[p.Fix.Impact]
		if !strings.Contains(flags, flag) {
			flags += flag
		}
	}
	if len(plan.Apply)+len(plan.Refuse) == 0 {
		return ""
	}
	return "Apply the automatic fixes: " + strings.Join(append([]string{"kubectl kubeflow doctor"}, o.ids...), " ") + " --fix" + flags
}

// nextForManifests tells that install makes the changes that manifests need.
func (o *doctorOptions) nextForManifests(r *doctor.Report) string {
	if plan := doctor.PlanFixes(r, []doctor.Impact{doctor.RestartsPods}); len(plan.Apply) == 0 {
		return ""
	}
	return "install makes these changes automatically: kubectl kubeflow install -f " + escape.Word(o.filename)
}
