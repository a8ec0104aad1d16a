package doctor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
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
	if o.undo == listRuns {
		history, err := fixes.ReadHistory(ctx, client.View())
		if err != nil {
			return err
		}
		return o.showRuns(history)
	}
	if err := fixes.TakeOver(ctx, client, func(line string) { o.Screen().Say("%s", line) }); err != nil {
		return err
	}
	history, err := fixes.ReadHistory(ctx, client.View())
	if err != nil {
		return err
	}
	o.mentionIgnored(history)
	run, err := chooseRun(history.Runs, o.undo)
	if err != nil {
		return err
	}
	o.Screen().Say("context %s at %s", client.Context, client.Server())
	undone, err := fixes.Undo(ctx, client, checks.All(), run, fixes.UndoOptions{Wait: o.rollout, Now: o.Now,
		Progress: func(line string) { o.Screen().Say("%s", line) },
		Confirm: func(ctx context.Context, intents []fixes.Intent) (bool, error) {
			return o.confirmUndo(ctx, run, intents)
		},
	})
	if undone == nil {
		return err
	}
	if err != nil {
		return &problem.Error{What: cli.Unfinished("undo", err), Next: "Resume with: kubectl kubeflow doctor --undo=" + escape.Word(run.Name), Err: err}
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

// mentionIgnored names the records that are not used.
func (o *doctorOptions) mentionIgnored(h fixes.History) {
	for _, s := range h.Spoiled {
		o.Screen().Say("%s", s)
	}
	if n := len(h.Earlier); n > 0 {
		o.Screen().Say("%s of an older version in namespace %s: ignored, because others than administrators can write there.", text.Plural(n, "record"), h.Earlier[0].Namespace)
	}
}

// chooseRun returns the run to undo: by name, or the last one that has changes to undo.
func chooseRun(runs []fixes.Run, name string) (fixes.Run, error) {
	slices.SortStableFunc(runs, func(a, b fixes.Run) int { // a record that others could write is the last choice
		return cmp.Compare(fmt.Sprint(a.TakenOver), fmt.Sprint(b.TakenOver))
	})
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

// confirmUndo shows what will be done, as it was decided from the objects and not as the record calls it, and asks.
func (o *doctorOptions) confirmUndo(ctx context.Context, run fixes.Run, intents []fixes.Intent) (bool, error) {
	s := o.Screen()
	if err := s.Reversals(run, intents); err != nil {
		return false, err
	}
	if bool(o.dryRun) {
		return false, nil
	}
	changes := slices.ContainsFunc(intents, func(i fixes.Intent) bool { return i.Change != nil })
	err := o.Agree(ctx, o.yes || !changes, "Make these changes?", "Confirm with --yes")
	return err == nil, err
}

func (o *doctorOptions) showRuns(h fixes.History) error {
	if o.output == "json" || o.output == "yaml" {
		return o.print(fixes.List(h))
	}
	o.mentionIgnored(h)
	var rows [][]string
	for _, r := range h.Runs {
		rows = append(rows, []string{r.Name, r.Started.Local().Format(time.DateTime), fmt.Sprint(len(r.Changes())), r.Status()})
	}
	if len(rows) == 0 {
		o.Screen().Say("There are no fixes to undo.")
		return nil
	}
	return o.Screen().Table([]string{"RUN", "STARTED", "CHANGES", "STATE"}, rows)
}
