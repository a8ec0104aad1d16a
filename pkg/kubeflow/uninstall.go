package kubeflow

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/fixes"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/uninstall"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
)

// UninstallOptions say what to remove.
type UninstallOptions struct {
	Name       string // of the installation; may be left out where there is only one
	DeleteData bool   // users' data as well
	DryRun     DryRun
}

// PrepareUninstall decides what an uninstall removes, in which order, and what it keeps and why. It writes nothing.
func PrepareUninstall(ctx context.Context, client *cluster.Client, o UninstallOptions) (*UninstallPlan, error) {
	survey, err := uninstall.ReadCluster(ctx, client)
	if err != nil {
		return nil, err
	}
	view := client.View()
	records, err := inventory.Read(ctx, view)
	if err != nil {
		return nil, err
	}
	all := records.Installed
	p := &UninstallPlan{Plan: &uninstall.Plan{Name: o.Name}, Notices: recordNotices(records), client: client, dryRun: o.DryRun, survey: survey}
	for _, inventory := range all {
		p.Installed = append(p.Installed, inventory.Name)
	}
	if p.request, err = o.request(ctx, view, all, survey); err != nil || p.Nothing() {
		return p, err
	}
	p.Plan = uninstall.Decide(p.request, survey)
	if o.DryRun.writes() && len(p.Refs()) > 0 {
		p.Refused = uninstall.CheckPermissions(ctx, client, p.Plan)
	}
	return p, nil
}

// request is what should go; its inventory is nil when there is nothing.
func (o UninstallOptions) request(ctx context.Context, view cluster.View, all []*inventory.Inventory, survey *uninstall.Snapshot) (request uninstall.Request, err error) {
	request.DeleteData = o.DeleteData
	switch {
	case o.Name != "":
		request.Inventory = inventory.Find(all, o.Name)
	case len(all) > 1:
		var names []string
		for _, inventory := range all {
			names = append(names, inventory.Name)
		}
		return request, &problem.Error{Usage: true, What: fmt.Sprintf("there are %d installations here: %s", len(all), strings.Join(names, ", ")), Next: "Select one with --name"}
	case len(all) == 1:
		request.Inventory = all[0]
	default:
		request.Inventory = uninstall.TerminatingNamespaces(survey)
	}
	if request.Inventory == nil {
		return request, nil
	}
	for _, other := range all {
		if other.Name != request.Inventory.Name {
			request.Others = append(request.Others, other)
		}
	}
	if !slices.ContainsFunc(request.Others, func(i *inventory.Inventory) bool { return i.Release != "" || i.Name == "kubeflow" }) {
		request.Extras, err = besides(ctx, view)
	}
	return request, err
}

// besides returns what doctor, expose and auth left for the Kubeflow that goes.
func besides(ctx context.Context, view cluster.View) ([]*unstructured.Unstructured, error) {
	made, err := expose.ReadInventory(ctx, view)
	if err != nil {
		return nil, fmt.Errorf("looking for what expose made: %w", err)
	}
	records, err := fixes.Records(ctx, view)
	if err != nil {
		return nil, fmt.Errorf("looking for what doctor recorded: %w", err)
	}
	all := append(made.Objects, records...)
	if _, app, err := signin.ReadApp(ctx, view); err == nil && app != nil {
		all = append(all, app)
	}
	_, signIn, err := signin.ReadRecord(ctx, view)
	if signIn != nil { // also one that cannot be used
		return append(all, signIn), nil
	}
	return all, err
}

// An UninstallPlan is what an uninstall removes and keeps.
type UninstallPlan struct {
	*uninstall.Plan
	Installed []string // the names of the installations on the cluster
	Notices   []string // what to know about the records
	Refused   error    // which permission is missing; nil when the uninstall may begin

	client  *cluster.Client
	dryRun  DryRun
	survey  *uninstall.Snapshot
	request uninstall.Request
}

// Title is what messages call the installation.
func (p *UninstallPlan) Title() string {
	if p.Release != "" {
		return "Kubeflow " + p.Release
	}
	return p.Name
}

// Nothing reports whether there is no such installation: nothing to remove, and nothing that an earlier uninstall kept.
func (p *UninstallPlan) Nothing() bool { return p.request.Inventory == nil }

// OnlyKept reports whether nothing is left to remove but what an earlier uninstall kept.
func (p *UninstallPlan) OnlyKept() bool { return !p.Nothing() && len(p.Refs()) == 0 && !p.Complete() }

// Cluster is the name that UninstallApplyOptions.DeleteDataOf has to repeat: the context, or the server where there is none.
func (p *UninstallPlan) Cluster() string { return cmp.Or(p.client.Context, p.client.Server()) }

// UninstallApplyOptions say how an uninstall is carried out.
type UninstallApplyOptions struct {
	DeleteDataOf string // consent to delete users' data: see [UninstallPlan.Cluster]
	Timeout      time.Duration
	NoWait       bool               // do not wait for the last namespaces
	Observe      func(events.Event) // may be nil
}

// Apply removes what the plan says and nothing beyond it: what came in between stays and is in the result. It stops before the
// first write when the plan is refused, when it deletes users' data without consent, and when another program installed or
// removed this installation in between.
func (p *UninstallPlan) Apply(ctx context.Context, o UninstallApplyOptions) (*uninstall.Result, error) {
	switch {
	case !p.dryRun.writes():
		return nil, errDryRun
	case p.Refused != nil:
		return nil, p.Refused
	case p.Nothing():
		return &uninstall.Result{Removed: []cluster.Ref{}}, p.tidy(ctx)
	case p.DeletesData() && o.DeleteDataOf != p.Cluster():
		return nil, &problem.Error{Usage: true, What: "deleting user data requires confirmation", Next: "Nothing was changed. To delete it: --confirm " + p.Cluster()}
	}
	request := p.request
	request.Agreed = p.Plan
	return uninstall.Run(ctx, p.client, request, uninstall.Options{Timeout: o.Timeout, NoWait: o.NoWait, Observe: o.Observe})
}

// DeletesData reports whether the plan deletes users' data.
func (p *UninstallPlan) DeletesData() bool { return p.request.DeleteData && !p.Data.Empty() }

// tidy removes what a program that ended early left in the namespace of the records, where nothing is recorded.
func (p *UninstallPlan) tidy(ctx context.Context) error {
	if len(p.Installed) > 0 {
		return nil
	}
	return uninstall.Tidy(ctx, p.client, p.survey)
}

// DryRun lets the server say whether it would delete each object of the plan.
func (p *UninstallPlan) DryRun(ctx context.Context) error {
	return uninstall.DryRun(ctx, p.client, p.Plan)
}
