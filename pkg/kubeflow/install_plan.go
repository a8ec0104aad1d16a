package kubeflow

import (
	"context"
	"fmt"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/apply"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/preflight"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// An InstallPlan is what an install will do, decided to the end.
type InstallPlan struct {
	*plan.Plan
	Title      string              // "Kubeflow 26.03", or the file's name
	Adapted    []doctor.Adaptation // how the manifests were patched
	RenderTook time.Duration
	FromKfctl  bool  // a directory was made by kfctl: its objects are taken over
	Refused    error // what blocks the install, an [install.Refused]; nil when it may begin

	client    *cluster.Client
	report    *doctor.Report // of the checks before an install; nil if nothing is to be written
	dryRun    DryRun
	decidedBy []revision
	signIn    *keptSignIn
}

// InstallApplyOptions say how an install is carried out.
type InstallApplyOptions struct {
	AllowDowngrade bool // put an older release in the place of a newer one
	Timeout        time.Duration
	NoWait         bool               // applied is enough
	Observe        func(events.Event) // may be nil
}

// Apply executes the plan as it was shown: nothing is decided again. It stops before anything is changed when the plan is
// refused, goes back to an older release without AllowDowngrade, or no longer fits the cluster.
func (p *InstallPlan) Apply(ctx context.Context, o InstallApplyOptions) (*apply.Result, error) {
	switch {
	case !p.dryRun.writes():
		return nil, errDryRun
	case p.Refused != nil:
		return nil, p.Refused
	case p.Downgrade() && !o.AllowDowngrade && p.Writes() > 0:
		return nil, p.RefuseDowngrade()
	}
	if err := p.stillHolds(ctx); err != nil {
		return nil, err
	}
	if p.Writes() > 0 {
		if err := p.signIn.store(ctx, p.client, false); err != nil {
			return nil, err
		}
	}
	result, err := apply.Run(ctx, p.client, p.Plan, apply.Options{Timeout: o.Timeout, NoWait: o.NoWait, Observe: o.Observe})
	if err == nil && p.Writes() > 0 {
		err = p.signIn.store(ctx, p.client, true)
	}
	return result, err
}

// RefuseDowngrade is the error of an install that goes back to an older release without being allowed to.
func (p *InstallPlan) RefuseDowngrade() error {
	return &problem.Error{Usage: true, What: fmt.Sprintf("Kubeflow %s is installed, and %s is older: nothing was changed", p.InstalledRelease(), p.Release),
		Next: "Specify the installed release with --release, or downgrade with --allow-downgrade"}
}

// stillHolds looks whether what was kept of the user's is still what the plan keeps. Whether another install came in between
// is looked at by [install.Run].
func (p *InstallPlan) stillHolds(ctx context.Context) error {
	if p.Writes() == 0 {
		return nil
	}
	ref, err := changed(ctx, p.client.View(), p.decidedBy)
	if err != nil || ref == nil {
		return err
	}
	return &problem.Error{What: fmt.Sprintf("%s was changed while this install was being prepared", ref), Next: "Nothing was changed. Run the same command again"}
}

// DryRun asks the server what it would do with each object of the plan. Nothing is written.
func (p *InstallPlan) DryRun(ctx context.Context) ([]plan.Verdict, error) {
	return preflight.DryRun(ctx, p.client, p.Plan)
}
