package identity

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/fixes"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/lock"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/state"
)

// ApplyOptions say how a plan is carried out.
type ApplyOptions struct {
	Wait time.Duration // for new pods to be ready
	Say  func(line string)
}

// Apply carries the plan out while it holds the cluster's Lease. If the new sign-in does not work, the one that there was is restored, and
// the error says what failed. Interrupted, it is continued by the same command and undone by a removal.
func (p *Plan) Apply(ctx context.Context, o ApplyOptions) error {
	if !p.writes() {
		return errors.New("the plan was prepared as a dry run")
	}
	held, free, err := lock.Acquire(ctx, p.client, "changing how users sign in", func(e lock.Event) { o.Say(e.String()) })
	if err != nil {
		return err
	}
	defer free()
	if err := p.enroll(held, o.Say); err != nil {
		return cmp.Or(lock.Lost(held), err)
	}
	p.probeBefore(held)
	if err := p.remember(held); err != nil {
		return err
	}
	r := &run{plan: p, now: map[cluster.Ref]*unstructured.Unstructured{}, options: o}
	for _, t := range p.Targets {
		r.now[cluster.RefOf(t.Live).Identity()] = t.Live
	}
	err = r.forward(held)
	if err == nil {
		return cmp.Or(p.forget(held), p.release(held), lock.Lost(held))
	}
	if lost := lock.Lost(held); lost != nil {
		return lost
	}
	if held.Err() != nil || !r.wrote {
		return err
	}
	o.Say("restoring the sign-in that there was")
	if back := r.back(held); back != nil {
		return &problem.Error{Err: errors.Join(err, back), What: fmt.Sprintf("%v; and the sign-in that there was could not be restored: %v", err, back),
			Next: "Restore it with: kubectl kubeflow auth oidc --remove"}
	}
	return &problem.Error{Err: err, What: err.Error(), Next: cmp.Or(adviceOf(err), "Correct that, and run the same command again") + ". Users sign in as before: all changes were reverted"}
}

func adviceOf(err error) string {
	var known *problem.Error
	if errors.As(err, &known) {
		return known.Advice()
	}
	return ""
}

// A run makes the changes of a plan.
type run struct {
	plan    *Plan
	options ApplyOptions
	now     map[cluster.Ref]*unstructured.Unstructured // the objects as they were last written or read
	wrote   bool
}

// forward goes through the stages, and verifies before what the old way needs is removed.
func (r *run) forward(ctx context.Context) error {
	for _, s := range []signin.Stage{signin.Accept, signin.Switch} {
		if err := r.stage(ctx, s, r.plan.Targets); err != nil {
			return err
		}
	}
	if err := r.rollOut(ctx); err != nil {
		return err
	}
	if err := r.plan.verify(ctx, r.options.Say); err != nil {
		return err
	}
	return r.stage(ctx, signin.Settle, r.plan.Targets)
}

// back makes all objects what they were, in the same stages.
func (r *run) back(ctx context.Context) error {
	var targets []signin.Target
	for _, t := range r.plan.Targets {
		back := signin.Target{Live: r.now[cluster.RefOf(t.Live).Identity()], Want: t.Live}
		if err := r.refresh(ctx, &back); err != nil {
			return err
		}
		targets = append(targets, back)
	}
	for s := signin.Accept; s < signin.Stages; s++ {
		if err := r.stage(ctx, s, targets); err != nil {
			return err
		}
		if s == signin.Switch {
			if err := r.rollOut(ctx); err != nil {
				r.options.Say(err.Error())
			}
		}
	}
	return r.plan.recall(ctx)
}

// stage makes the changes of a stage: workloads last, which read the others.
func (r *run) stage(ctx context.Context, s signin.Stage, targets []signin.Target) error {
	for _, late := range []bool{false, true} {
		for i := range targets {
			if signin.Later(targets[i].Want) != late {
				continue
			}
			if err := r.write(ctx, s, &targets[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// tries is how often a write is repeated on an object that other clients write to, such as a controller its status.
const tries = 8

// write makes the change of a stage to one object.
func (r *run) write(ctx context.Context, s signin.Stage, t *signin.Target) error {
	ref := cluster.RefOf(t.Want).Identity()
	for try := 1; ; try++ {
		now := r.now[ref]
		next := s.At(now, t.Want)
		if same(now, next) {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		after, err := r.plan.client.Do(ctx, cluster.Change{Verb: cluster.Patch, Before: now, After: next}, cluster.Options{Manager: signin.Manager})
		switch {
		case err == nil:
			r.wrote, r.now[ref] = true, after
			return nil
		case !apierrors.IsConflict(err) || try == tries:
			return err
		}
		if err := r.refresh(ctx, t); err != nil {
			return err
		}
	}
}

// refresh reads the object of a target again, and rests what it is to become on that.
func (r *run) refresh(ctx context.Context, t *signin.Target) error {
	ref := cluster.RefOf(t.Want).Identity()
	live, err := r.plan.client.View().Get(ctx, cluster.RefOf(t.Want))
	if err != nil {
		return err
	}
	want, err := signin.Restore(t.Want, r.now[ref], live) // what leads from what it was to what it is to be
	if err != nil {
		return err
	}
	t.Want, r.now[ref] = want, live
	return nil
}

// same reports whether two states of an object differ in nothing that a client writes.
func same(a, b *unstructured.Unstructured) bool {
	for _, field := range []string{"data", "spec"} {
		if !equality.Semantic.DeepEqual(a.Object[field], b.Object[field]) {
			return false
		}
	}
	return equality.Semantic.DeepEqual(a.GetLabels(), b.GetLabels()) && equality.Semantic.DeepEqual(a.GetAnnotations(), b.GetAnnotations())
}

// rollOut waits for the pods that read the settings.
func (r *run) rollOut(ctx context.Context) error {
	notReady, err := fixes.RollOut(ctx, r.plan.client, r.plan.Workloads(), r.options.Wait, r.options.Say)
	if err != nil {
		return err
	}
	for _, ref := range r.plan.Workloads() {
		if why := notReady[ref]; why != "" {
			return &problem.Error{What: fmt.Sprintf("%s does not run with the new settings: %s", ref, why), Next: "Find out why with: kubectl kubeflow doctor auth"}
		}
	}
	return nil
}

// remember writes the record of what is about to be changed. Until all is done, it also tells what an earlier run changed.
func (p *Plan) remember(ctx context.Context) error {
	if p.Record == nil {
		return nil
	}
	if err := state.Ensure(ctx, p.client); err != nil {
		return err
	}
	r, err := p.Record.After(p.prior)
	if err != nil {
		return err
	}
	return p.store(ctx, r)
}

// forget ends the record of an earlier run, or of all after a removal.
func (p *Plan) forget(ctx context.Context) error { return p.store(ctx, p.Record) }

// release deletes the client secret that the cluster has, after a removal.
func (p *Plan) release(ctx context.Context) error {
	if p.Identity != nil || p.App == nil {
		return nil
	}
	_, err := signin.StoreApp(ctx, p.client, p.App.secret, nil)
	return err
}

// recall makes the record what it was before.
func (p *Plan) recall(ctx context.Context) error { return p.store(ctx, p.prior) }

// store writes a record, or deletes it (nil).
func (p *Plan) store(ctx context.Context, r *signin.Record) error {
	var err error
	p.secret, err = r.Store(ctx, p.client, p.secret)
	return err
}
