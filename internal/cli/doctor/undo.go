package doctor

import (
	"context"
	"fmt"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/fixes"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// Values of --undo other than the name of a run.
const (
	lastRun  = "last"
	listRuns = "list"
)

func runUndo(ctx context.Context, o *doctorOptions) error {
	client, err := o.cluster(ctx)
	if err != nil {
		return err
	}
	runs, err := fixes.Runs(ctx, client)
	if err != nil {
		return err
	}
	if o.undo == listRuns {
		return o.showRuns(runs)
	}
	run, err := chooseRun(runs, o.undo)
	if err != nil {
		return err
	}
	o.Screen().Say("context %s at %s", client.Context, client.Server())
	if err := o.confirmUndo(ctx, run); err != nil {
		return err
	}
	undone, err := fixes.Undo(ctx, client, run, fixes.UndoOptions{Wait: o.rollout, Now: o.Now, Progress: func(line string) { o.Screen().Say("%s", line) }})
	if err != nil {
		return &problem.Error{What: "undo not completed: " + err.Error(), Next: "Resume with: kubectl kubeflow doctor --undo=" + run.Name, Err: err}
	}
	if o.output == "json" || o.output == "yaml" {
		err = o.print(undone)
	} else {
		err = o.Screen().Undone(undone)
	}
	if err == nil && !undone.Whole() {
		return cli.ErrFound
	}
	return err
}

// chooseRun returns the run to undo: by name, or the last one that has changes to undo.
func chooseRun(runs []fixes.Run, name string) (fixes.Run, error) {
	for _, r := range runs {
		if r.Name == name && r.Undone {
			return r, &problem.Error{Usage: true, What: fmt.Sprintf("run %s is already undone", name), Next: "List the runs with: kubectl kubeflow doctor --undo --list"}
		}
		if r.Name == name || name == lastRun && !r.Undone && len(r.ToUndo()) > 0 {
			return r, nil
		}
	}
	if name == lastRun {
		return fixes.Run{}, &problem.Error{Usage: true, What: "there is no fix to undo", Next: "List the runs with: kubectl kubeflow doctor --undo --list"}
	}
	return fixes.Run{}, &problem.Error{Usage: true, What: fmt.Sprintf("there is no run %q", name), Next: "List the runs with: kubectl kubeflow doctor --undo --list"}
}

func (o *doctorOptions) confirmUndo(ctx context.Context, run fixes.Run) error {
	s := o.Screen()
	s.Say("run %s of %s changed:", run.Name, run.Started.Local().Format(time.DateTime))
	for _, step := range run.ToUndo() {
		s.Say("  %-8s%s", step.Verb, step.About)
	}
	if o.yes {
		return nil
	}
	if !s.Interactive {
		return &problem.Error{Usage: true, What: "confirmation required: this is not a terminal", Next: "Confirm with --yes"}
	}
	yes, err := s.Confirm(ctx, "Revert these changes?")
	if err == nil && !yes {
		return &problem.Error{Usage: true, What: "cancelled, nothing was changed", Next: "Run the same command again to undo"}
	}
	return err
}

func (o *doctorOptions) showRuns(runs []fixes.Run) error {
	if o.output == "json" || o.output == "yaml" {
		if runs == nil {
			runs = []fixes.Run{}
		}
		return o.print(map[string]any{"apiVersion": "kubeflow.doctor/v1alpha1", "kind": "RunList", "items": runs})
	}
	var rows [][]string
	for _, r := range runs {
		state := "done"
		if r.Undone {
			state = "undone"
		} else if !r.Finished {
			state = "interrupted"
		}
		rows = append(rows, []string{r.Name, r.Started.Local().Format(time.DateTime), fmt.Sprint(len(r.Changes())), state})
	}
	if len(rows) == 0 {
		o.Screen().Say("There are no fixes to undo.")
		return nil
	}
	return o.Screen().Table([]string{"RUN", "STARTED", "CHANGES", "STATE"}, rows)
}
