package kubeflow

import (
	"context"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/loadbalancer"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/tls"
)

// ExposeOptions say how the dashboard gets an address of the load balancer.
type ExposeOptions struct {
	expose.Options
	AllowUnauthenticated    bool // a public address without authentication
	AllowDefaultCredentials bool // a public address with the default password or secrets
	DryRun                  DryRun
}

// PrepareExpose decides what to change so that the dashboard has its address, and whether that is safe. It changes nothing.
// An unsafe plan is not an error but the plan's Refused. A dry run is never refused.
func PrepareExpose(ctx context.Context, client *cluster.Client, o ExposeOptions) (*ExposePlan, error) {
	p, err := o.prepare(ctx, client.View())
	if p != nil {
		p.client = client
	}
	return p, err
}

// PreviewExpose is PrepareExpose for any view, such as a support bundle. Its plan cannot be applied.
func PreviewExpose(ctx context.Context, view cluster.View, o ExposeOptions) (*ExposePlan, error) {
	return o.prepare(ctx, view)
}

// prepare returns a plan even with an error, once the dashboard has been read.
func (o ExposeOptions) prepare(ctx context.Context, view cluster.View) (*ExposePlan, error) {
	t, err := expose.Read(ctx, view)
	if err != nil {
		return nil, err
	}
	p := &ExposePlan{Target: t, secure: tls.Read(ctx, view, t, o.Options), options: o}
	if p.Plan, err = loadbalancer.NewPlan(p.secure, o.Options); err != nil || !o.DryRun.writes() {
		return p, err
	}
	p.Refused, err = o.judge(ctx, view, p.Target, p.Plan)
	return p, err
}
