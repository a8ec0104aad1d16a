package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/lock"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// Options say how a plan is run.
type Options struct {
	Timeout  time.Duration      // for all of it
	NoWait   bool               // do not wait until objects are ready
	Parallel int                // concurrent requests; 0 means 16
	Locked   bool               // the caller has held the cluster's Lease since before the plan was made: Run acquires none
	Observe  func(events.Event) // may be nil
}

// Run stores the inventory, applies every object as soon as its gates are open, waits until all are ready, deletes objects
// that are no longer wanted, and stores the inventory again. After an interruption at any point, a new plan and run finish it.
//
// It holds the cluster's Lease (see [lock.Acquire]) while it changes anything, unless the caller holds it.
//
// A timeout is an [UnfinishedError]; what cannot succeed ends the run immediately with a problem.Error.
func Run(ctx context.Context, client *cluster.Client, p *plan.Plan, o Options) (*Result, error) {
	if o.Observe == nil {
		o.Observe = func(events.Event) {}
	}
	if o.Parallel == 0 {
		o.Parallel = 16
	}
	if o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.Timeout)
		defer cancel()
	}
	held, release, err := acquireLock(ctx, client, p, o.Locked, o.Observe)
	if err != nil {
		return nil, err
	}
	defer release()
	result, err := runLocked(held, client, p, o)
	if lost := lock.Lost(held); lost != nil {
		err = lost
	}
	return result, explainEnd(client.Explain(err), o.Timeout)
}

// explainEnd adds advice to the error that ended a run, if it has none: to a deadline outside the wait, and to unexpected
// errors.
func explainEnd(err error, after time.Duration) error {
	var explained *problem.Error
	var unfinished *UnfinishedError
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.As(err, &unfinished):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return &problem.Error{Err: err, What: fmt.Sprintf("timed out after %s: %s", after, plan.InnermostMessage(err)),
			Next: "Applied objects stay. Run the same command again to resume, with a longer --timeout"}
	case errors.As(err, &explained):
		return err
	}
	return &problem.Error{Err: err, What: err.Error(), Next: "Applied objects stay. Run the same command again to resume"}
}

func runLocked(ctx context.Context, client *cluster.Client, p *plan.Plan, o Options) (*Result, error) {
	book := &inventoryRecorder{client: client, plan: p}
	if err := book.start(ctx); err != nil {
		return nil, err
	}
	e := newEngine(client, p, o)
	if err := e.run(ctx); err != nil {
		book.saveProgress(ctx, e)
		return e.result, err
	}
	if err := prune(ctx, client, p, e.result, o.Observe); err != nil {
		return e.result, err
	}
	return e.result, book.finish(ctx, e)
}

// A Result is the result of a run.
type Result struct {
	Applied   int           `json:"applied"`   // sent to the server
	Changed   int           `json:"changed"`   // of these, the ones that differed or did not exist
	Unchanged int           `json:"unchanged"` // not sent: known to be unchanged
	Pruned    []cluster.Ref `json:"pruned,omitempty"`
	Kept      []cluster.Ref `json:"kept,omitempty"`
	ApplyTook time.Duration `json:"-"` // until the last object was applied
	ReadyTook time.Duration `json:"-"` // until the last object was ready
	Retried   int           `json:"-"`
}
