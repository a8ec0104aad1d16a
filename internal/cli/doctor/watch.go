package doctor

import (
	"context"
	"fmt"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// watchAgain repeats the diagnosis until Ctrl-C, which is not an error. The first report is printed whole, then what changed; with -o json
// each report that differs is a document on a line.
func (o *doctorOptions) watchAgain(ctx context.Context, in *kubeflow.Input) error {
	var last *doctor.Report
	for {
		report, err := kubeflow.Diagnose(ctx, in, kubeflow.DiagnoseOptions{Options: o.settings, Checks: o.checks, Now: o.Now})
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if err := o.showChange(last, report); err != nil {
			return err
		}
		last = report
		o.Idle() // the report says how things are
		if kube.Sleep(ctx, o.interval) != nil {
			return nil
		}
	}
}

func (o *doctorOptions) showChange(last, report *doctor.Report) error {
	appeared, resolved := doctor.Changes(last, report)
	switch {
	case o.output == "json" && (last == nil || len(appeared)+len(resolved) > 0):
		return cli.PrintLine(o.Out, report)
	case o.output == "json":
		return nil
	case last == nil:
		return o.show(report)
	}
	at := o.Now().Format("15:04:05")
	var lines []string
	for _, p := range appeared {
		lines = append(lines, fmt.Sprintf("%s  %s  %s  %s", at, p.Finding.Severity, p.Check.ID, p.Finding.Message))
	}
	for _, p := range resolved {
		lines = append(lines, fmt.Sprintf("%s  resolved  %s  %s", at, p.Check.ID, p.Finding.Message))
	}
	return o.Screen().Lines(lines)
}

// watchConflicts are the flags that make no sense with --watch.
func (o *doctorOptions) watchConflicts() error {
	switch {
	case !o.watch:
		return nil
	case o.fix || o.undo != "" || o.list || o.explain != "" || o.wait > 0:
		return &problem.Error{Usage: true, What: "--watch cannot be used with --fix, --undo, --list, --explain or --wait", Next: "Leave one of them out"}
	case o.filename != "" || o.from != "":
		return &problem.Error{Usage: true, What: "--watch needs a cluster, and cannot be used with -f or --from", Next: "Leave one of them out"}
	case o.output != "table" && o.output != "wide" && o.output != "short" && o.output != "json":
		return &problem.Error{Usage: true, What: "--watch does not support -o " + o.output, Next: "-o json prints one document per line for each change"}
	case o.interval <= 0:
		return &problem.Error{Usage: true, What: "--interval must be positive", Next: "For example: --interval 1m"}
	}
	return nil
}
