package component

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow/component"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

type restartOptions struct {
	*cli.Deps
	yes     bool
	dryRun  string
	timeout time.Duration
}

var restartDryRun = cli.DryRuns("show what would be restarted", "the same")

// NewRestartCommand returns the command "kubectl kubeflow restart".
func NewRestartCommand(d *cli.Deps) *cobra.Command {
	o := &restartOptions{Deps: d}
	cmd := &cobra.Command{
		Use: "restart COMPONENT", Short: "Restart a component's pods, and wait until the new ones are ready",
		Long: `Restart the workloads of a component, or one of them, as kubectl rollout restart
does: new pods are started, and the old ones end when these are ready. Pods of
users are not restarted. The command waits, and reports why a new pod does not
become ready.`,
		Example: `  kubectl kubeflow restart pipelines
  kubectl kubeflow restart ml-pipeline --yes # one workload, without asking`,
		Args: one, ValidArgsFunction: names,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args[0]) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	restartDryRun.Add(cmd, f, &o.dryRun, "", "preview without changing anything; `MODE` is %s")
	f.DurationVar(&o.timeout, "timeout", 5*time.Minute, "time out after this `DURATION`")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask for confirmation")
	return cmd
}

func (o *restartOptions) run(ctx context.Context, name string) error {
	if err := restartDryRun.Check(o.dryRun); err != nil {
		return err
	}
	if err := cli.Positive(o.timeout, "10m"); err != nil {
		return err
	}
	client, err := o.Connect()
	if err != nil {
		return err
	}
	workloads, err := component.Workloads(ctx, client, name)
	if err != nil {
		return err
	}
	var names []string
	for _, w := range workloads {
		names = append(names, cluster.RefOf(w).String())
	}
	o.Screen().Say("Restart on %s: %s", cmp.Or(client.Context, client.Server()), strings.Join(names, ", "))
	if o.dryRun != "none" {
		o.Screen().Say("Nothing was changed (dry run).")
		return nil
	}
	if err := o.Agree(ctx, o.yes, fmt.Sprintf("Restart %s?", text.Plural(len(workloads), "workload")), "Confirm with --yes"); err != nil {
		return err
	}
	began := o.Now()
	notReady, err := component.Restart(ctx, client, workloads, component.RestartOptions{Wait: o.timeout, Now: o.Now, Progress: func(line string) { o.Screen().Say("%s", line) }})
	if err != nil {
		return err
	}
	if len(notReady) > 0 {
		return unready(name, notReady)
	}
	fmt.Fprintf(o.Out, "%s %s: %s restarted (%s)\n", o.Screen().Done(), escape.Line(name), text.Plural(len(workloads), "workload"), ui.Brief(o.Now().Sub(began)))
	return nil
}

// unready is the error of a restart after which workloads are not ready.
func unready(name string, notReady map[cluster.Ref]string) error {
	var lines []string
	for ref, why := range notReady {
		lines = append(lines, redact.Message(ref.String()+": "+why))
	}
	slices.Sort(lines)
	return &problem.Error{What: "not ready after the restart: " + strings.Join(lines, "; "), Err: context.DeadlineExceeded,
		Next: "See why with: kubectl kubeflow logs " + escape.Word(name)}
}
