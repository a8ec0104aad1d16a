package component

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow/component"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

type logsOptions struct {
	*cli.Deps
	tail   int64
	all    bool
	output string
}

var logsOutput = cli.Outputs("", "json", "yaml")

// NewLogsCommand returns the command "kubectl kubeflow logs".
func NewLogsCommand(d *cli.Deps) *cobra.Command {
	o := &logsOptions{Deps: d}
	cmd := &cobra.Command{
		Use: "logs COMPONENT", SuggestFor: []string{"log"}, Short: "Show the logs of a component's pods that matter",
		Long: `Show the logs of a component, or of one of its workloads: of the pods that are
not ready, or if all are ready, of the newest pod of each workload. Of a
container that crashed, the run that crashed is shown too. Credentials in the
logs are masked.`,
		Example: `  kubectl kubeflow logs pipelines            # of the pods that are not ready
  kubectl kubeflow logs ml-pipeline --tail 100 # of one workload
  kubectl kubeflow logs pipelines --all      # of every pod`,
		Args: one, ValidArgsFunction: names,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args[0]) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.Int64Var(&o.tail, "tail", 20, "show this many `LINES` of each container")
	f.BoolVar(&o.all, "all", false, "of every pod and container, not only of those that matter")
	logsOutput.Add(cmd, f, &o.output, "o", "print the logs as `FORMAT`: %s")
	return cmd
}

func (o *logsOptions) run(ctx context.Context, name string) error {
	if err := logsOutput.Check(o.output); err != nil {
		return err
	}
	if o.tail <= 0 {
		return &problem.Error{Usage: true, What: "--tail must be positive", Next: "For example: --tail 100"}
	}
	client, err := o.Connect()
	if err != nil {
		return err
	}
	logs, err := component.Logs(ctx, client, name, component.LogOptions{Lines: o.tail, All: o.all})
	if err != nil {
		return err
	}
	if o.output != "" {
		return cli.PrintDocument(o.Out, o.output, logList{APIVersion: cli.ResultVersion, Kind: "Logs", Component: name, Logs: logs})
	}
	o.show(logs)
	return nil
}

// A logList is the -o json and -o yaml document.
type logList struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	Component  string          `json:"component"`
	Logs       []component.Log `json:"logs"`
}

// show prints the logs, each beneath the pod and container that wrote it.
func (o *logsOptions) show(logs []component.Log) {
	s := o.Screen()
	for i, log := range logs {
		if i > 0 {
			fmt.Fprintln(o.Out)
		}
		head := fmt.Sprintf("pod/%s -n %s", log.Pod.Name, log.Pod.Namespace)
		if log.Container != "" {
			head += ", container " + log.Container
		}
		if log.Previous {
			head += ", the run before, which crashed"
		}
		fmt.Fprintln(o.Out, s.Paint(ui.Bold, head))
		if log.Why != "" {
			fmt.Fprintf(o.Out, "%s %s\n", s.Warning(), escape.Line(log.Why))
		}
		switch {
		case log.Error != "":
			fmt.Fprintln(o.Out, escape.Line(log.Error))
		case len(log.Lines) == 0:
			fmt.Fprintln(o.Out, s.Paint(ui.Dim, "(no log)"))
		}
		for _, line := range log.Lines { // indented, so that no line looks like one of this program
			fmt.Fprintln(o.Out, "  "+escape.Line(line))
		}
	}
}
