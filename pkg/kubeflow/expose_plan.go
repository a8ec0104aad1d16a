package kubeflow

import (
	"cmp"
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/loadbalancer"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/probe"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/tls"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/lock"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// An ExposePlan is what gives the dashboard its address, and whether that is safe.
type ExposePlan struct {
	loadbalancer.Plan
	Target  expose.Target // the dashboard as it was when the plan was made
	Refused *UnsafeError  // why the plan is unsafe; nil when it may be applied

	secure  tls.Target
	client  *cluster.Client
	options ExposeOptions
}

// ExposeApplyOptions say how a plan is carried out.
type ExposeApplyOptions struct {
	AllowUnauthenticated bool // consent to a plan that is refused for lack of authentication
	NoWait               bool // return once applied; a certificate that needs the address is not issued
	Timeout              time.Duration
	Notify               Notify
	Delayed              func(problem.Error) // reports why the certificate takes long; may be nil
}

// A PlanChangedError reports that the cluster changed, and that the remaining changes are no longer part of the plan that the user
// agreed to. Plan has the remaining changes. What was applied before is part of the old plan.
type PlanChangedError struct{ Plan *ExposePlan }

func (e *PlanChangedError) Error() string {
	return "the cluster changed meanwhile, so that the remaining changes differ from the plan you agreed to"
}

// An Exposed is the result of a plan.
type Exposed struct {
	Target  expose.Target // the dashboard as it is now
	URL     string        // "" without waiting
	Address string
	Answer  *probe.Result // what came back from the URL; nil without waiting
	TLS     tls.Plan
}

// Apply executes the plan, and nothing beyond what the user agreed to. An unsafe plan is refused. If another client changes an
// object in between, Apply continues only with what the plan covers, and otherwise fails with a [PlanChangedError].
func (p *ExposePlan) Apply(ctx context.Context, o ExposeApplyOptions) (*Exposed, error) {
	if p.client == nil || !p.options.DryRun.writes() {
		return nil, errDryRun
	}
	if p.Refused != nil && !(p.Refused.Unauthenticated && o.AllowUnauthenticated) {
		return nil, p.Refused
	}
	if o.AllowUnauthenticated {
		p.options.AllowUnauthenticated = true
	}
	if len(p.All()) == 0 {
		return p.execute(ctx, o)
	}
	held, release, err := lock.Acquire(ctx, p.client, "exposing the dashboard", func(e lock.Event) { o.Notify.say("%s", e) })
	if err != nil {
		return nil, err
	}
	defer release()
	exposed, err := p.execute(held, o)
	return exposed, cmp.Or(lock.Lost(held), err)
}

func (p *ExposePlan) execute(ctx context.Context, o ExposeApplyOptions) (*Exposed, error) {
	done, err := p.write(ctx)
	if err != nil {
		return nil, err
	}
	if o.NoWait {
		return &Exposed{Target: done.Target}, nil
	}
	return p.reach(ctx, done, o)
}

// mostTries is how often a plan is computed again because another client changed an object in between.
const mostTries = 5

// write applies the changes that need no address, and returns the latest plan.
func (p *ExposePlan) write(ctx context.Context) (*ExposePlan, error) {
	now := p
	for tries := 1; ; tries++ {
		err := expose.Apply(ctx, p.client, now.Changes, false)
		if !apierrors.IsConflict(err) || tries == mostTries {
			return now, err
		}
		if now, err = PrepareExpose(ctx, p.client, p.options); err != nil {
			return nil, err
		}
		if !p.Covers(now.Plan) || now.Refused != nil {
			return nil, &PlanChangedError{Plan: now}
		}
	}
}

// reach waits for the address, sets up the certificate, and waits for an answer.
func (p *ExposePlan) reach(ctx context.Context, done *ExposePlan, o ExposeApplyOptions) (*Exposed, error) {
	waiting, stop := context.WithTimeout(ctx, o.Timeout)
	defer stop()
	o.Notify.say("Waiting for the address of %s ...", p.Service)
	request, err := loadbalancer.Await(waiting, p.client, done.Target, done.Plan, func(d problem.Error) { o.Notify.say("  %s", d.What) })
	if err != nil {
		return nil, err
	}
	delayed := o.Delayed
	if delayed == nil {
		delayed = func(problem.Error) {}
	}
	out := &Exposed{Address: request.Address}
	if out.TLS, err = tls.Secure(waiting, p.client, &p.secure, p.options.Options, request.Address, delayed); err != nil {
		return nil, err
	}
	request.Roots = out.TLS.CA(ctx, p.client.View())
	if out.Target, err = expose.Read(ctx, p.client.View()); err != nil {
		return nil, err
	}
	request.URL = out.Target.URL(p.Service)
	out.URL = request.URL
	o.Notify.say("Requesting %s ...", request.URL)
	answer := probe.Until(waiting, request, patience(p.Reach))
	out.Answer = &answer
	return out, ctx.Err()
}

// patience is how long to wait for an answer. If this computer may be outside the allowed ranges, no answer is expected soon.
func patience(r dashboard.Reach) time.Duration {
	if r == dashboard.Public {
		return 3 * time.Minute
	}
	return 15 * time.Second
}

// DryRun lets the server check all changes of the plan. Nothing is changed.
func (p *ExposePlan) DryRun(ctx context.Context) error {
	if p.client == nil {
		return fmt.Errorf("checking %s with the server: %w", p.Service, errDryRun)
	}
	return expose.Apply(ctx, p.client, p.All(), true)
}
