package install

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// Options say how a plan is carried out.
type Options struct {
	Timeout  time.Duration // for all of it
	NoWait   bool          // applied is enough
	Parallel int           // requests at once; 0 means 16
	Observe  func(Event)   // may be nil
}

// Run carries a plan out: it records what will be there, applies every object as soon as its gates are open, waits
// until all is ready, removes what left the set, and records what is there. Cut off at any moment, the same
// plan made and run again finishes it.
//
// While it writes it holds the cluster (see [Hold]); a plan that writes nothing needs no hold.
//
// A wait that runs out ends with an [Unfinished]; what cannot succeed ends at once with a cluster.Problem.
func Run(ctx context.Context, client *cluster.Client, plan *Plan, o Options) (*Result, error) {
	if o.Observe == nil {
		o.Observe = func(Event) {}
	}
	if o.Parallel == 0 {
		o.Parallel = 16
	}
	if o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.Timeout)
		defer cancel()
	}
	held, release, err := plan.hold(ctx, client)
	if err != nil {
		return nil, err
	}
	defer release()
	result, err := carryOut(held, client, plan, o)
	if lost := lostHold(held); lost != nil {
		err = lost
	}
	return result, ended(client.Explain(err), o.Timeout)
}

// ended gives what ends a run its sentence, where it has none yet: the deadline, when it came before or after the wait,
// and answers that nobody foresaw.
func ended(err error, after time.Duration) error {
	var told *cluster.Problem
	var unfinished *Unfinished
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.As(err, &unfinished):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return &cluster.Problem{Err: err, What: fmt.Sprintf("the time ran out (%s): %s", after, innermostOf(err)),
			Next: "What is there stays: the same command goes on from here, with --timeout for longer"}
	case errors.As(err, &told):
		return err
	}
	return &cluster.Problem{Err: err, What: err.Error(), Next: "What is there stays: the same command goes on from here"}
}

func carryOut(ctx context.Context, client *cluster.Client, plan *Plan, o Options) (*Result, error) {
	book := &bookkeeper{client: client, plan: plan}
	if err := book.open(ctx); err != nil {
		return nil, err
	}
	e := newEngine(client, plan, o)
	if err := e.run(ctx); err != nil {
		book.note(ctx, e)
		return e.result, err
	}
	if err := prune(ctx, client, plan, e.result, o.Observe); err != nil {
		return e.result, err
	}
	return e.result, book.close(ctx, e)
}
