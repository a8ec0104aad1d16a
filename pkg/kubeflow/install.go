package kubeflow

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/lock"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/images"
)

// InstallOptions say what to install and how it is decided.
type InstallOptions struct {
	Source
	Namespace string // of objects that name none, where the source does not say

	Adapt          string        // patch what does not work on AKS: "auto" (when the cluster is AKS; also ""), "aks" or "none"
	Images         []images.Rule // take images from elsewhere
	GPUTolerations bool          // let users choose GPU nodes with taints for their notebooks

	Suppress []doctor.Suppression // findings that do not keep the install from beginning
	Adopt    []string             // components whose objects are taken over from what manages them
	Recreate bool                 // delete and recreate what cannot be changed in place; never what holds data

	DryRun DryRun
	Notify Notify

	preflightChecks []*doctor.Check // of [Preflight], whose report has what an install announces; nil in an install
}

// PrepareInstall renders the source, patches it for the cluster, keeps what users changed, decides what to write in which
// order, and looks for what would stop that. It writes nothing to the cluster. What blocks the install is not an error but
// the plan's Refused.
func PrepareInstall(ctx context.Context, client *cluster.Client, o InstallOptions) (*InstallPlan, error) {
	client.Forget() // kubectl keeps what a server can do for hours; whether an install can begin depends on what it can now
	free := o.lookWhetherFree(ctx, client)
	p := &InstallPlan{client: client, dryRun: o.DryRun}
	began := time.Now()
	rendered, kfctl, err := o.render(ctx, client.View())
	if err != nil {
		return nil, err
	}
	p.Title, p.RenderTook, p.FromKfctl = o.title(rendered), time.Since(began), kfctl
	components, adapted, err := o.adapt(ctx, client.View(), rendered.Components)
	if err != nil {
		return nil, err
	}
	if err := <-free; err != nil {
		return nil, err
	}
	view := client.View()
	records, err := inventory.Read(ctx, view)
	if err != nil {
		return nil, err
	}
	inventories := records.Installed
	kept, err := keep(ctx, view, components, adapted)
	if err != nil {
		return nil, err
	}
	p.Adapted, p.decidedBy, p.signIn = kept.made, kept.decidedBy, kept.signIn
	request := o.request(rendered, kept.components)
	for _, notice := range recordNotices(records) {
		o.Notify.warn("%s", notice)
	}
	if spoiled := records.Spoiled(request.Name); spoiled != nil {
		o.Notify.warn("A new record of the installation %s replaces it. Objects that it listed and that are no longer wanted stay.", request.Name)
	}
	request.Others = slices.DeleteFunc(slices.Clone(inventories), func(i *inventory.Inventory) bool { return i.Name == request.Name })
	if p.Plan, err = plan.New(ctx, request, inventory.Find(inventories, request.Name), view, client.Mapping); err != nil {
		return nil, err
	}
	p.report, p.Refused, err = o.preflight(ctx, client, p.Plan, inventories)
	return p, err
}

// request is what should be on the cluster.
func (o *InstallOptions) request(rendered *release.Rendered, components []release.RenderedComponent) plan.Request {
	request := plan.Request{
		Name: o.installationName(rendered), Pins: rendered.Pins, Namespace: cmp.Or(rendered.Namespace, o.Namespace), Components: components,
		Partial: rendered.Partial, Skipped: rendered.Skipped, Recreate: o.Recreate,
	}
	if rendered.Release != nil {
		request.Release, request.LeftOvers = rendered.Release.Version, rendered.Release.LeftOvers
	}
	return request
}

// lookWhetherFree looks, while the manifests are rendered, whether another program is writing to the cluster.
func (o *InstallOptions) lookWhetherFree(ctx context.Context, client *cluster.Client) <-chan error {
	answer := make(chan error, 1)
	if !o.DryRun.writes() {
		answer <- nil
		return answer
	}
	go func() { answer <- lock.CheckFree(ctx, client) }()
	return answer
}
