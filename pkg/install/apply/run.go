package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/lock"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// Options say how a plan is carried out.
type Options struct {
	Timeout  time.Duration      // for all of it
	NoWait   bool               // applied is enough
	Parallel int                // concurrent requests; 0 means 16
	Locked   bool               // the caller has held the cluster's Lease since before the plan was made: Run acquires none
	Observe  func(events.Event) // may be nil
}

// Run carries a plan out: it records what will be there, applies every object as soon as its gates are open, waits
// until all is ready, removes what left the set, and records what is there. Cut off at any moment, the same
// plan made and run again finishes it.
//
// While it writes it holds the cluster (see [lock.Hold]); a plan that writes nothing needs no hold.
//
// A wait that runs out ends with an [UnfinishedError]; what cannot succeed ends at once with a problem.Error.
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
	held, release, err := acquireLock(ctx, client, p, o.Locked)
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

// explainEnd gives what ends a run its sentence, where it has none yet: the deadline, when it came before or after the wait,
// and answers that nobody foresaw.
func explainEnd(err error, after time.Duration) error {
	var told *problem.Error
	var unfinished *UnfinishedError
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.As(err, &unfinished):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return &problem.Error{Err: err, What: fmt.Sprintf("timed out after %s: %s", after, plan.InnermostMessage(err)),
			Next: "What was applied stays: the same command resumes from here; --timeout allows more time"}
	case errors.As(err, &told):
		return err
	}
	return &problem.Error{Err: err, What: err.Error(), Next: "What was applied stays: the same command resumes from here"}
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

// A Result is what came of a run.
type Result struct {
	Applied   int           `json:"applied"`   // sent to the server
	Changed   int           `json:"changed"`   // of these, the ones that were not there as wanted
	Unchanged int           `json:"unchanged"` // not sent: known to be as wanted
	Pruned    []cluster.Ref `json:"pruned,omitempty"`
	Kept      []cluster.Ref `json:"kept,omitempty"`
	ApplyTook time.Duration `json:"-"` // until the last object was applied
	ReadyTook time.Duration `json:"-"` // until the last object was ready
	Retried   int           `json:"-"`
}
