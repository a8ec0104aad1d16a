package kubeflow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/fixes"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/status"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/lock"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// StatusOptions say what to look at.
type StatusOptions struct {
	Name string // of the installation; "" is the Kubeflow of the cluster
	Tree bool   // with the ReplicaSets and pods of what is not ready
	All  bool   // of everything
	Now  func() time.Time
}

// ReadStatus reads how the Kubeflow of a cluster is: pkg/install knows what is installed, pkg/expose where it can be reached,
// pkg/doctor what was fixed.
func ReadStatus(ctx context.Context, client *cluster.Client, o StatusOptions) (*Overview, error) {
	return newStatusReader(client, o).read(ctx, client.View())
}

// A statusReader reads the parts of an overview.
type statusReader struct {
	StatusOptions
	client *cluster.Client
}

func newStatusReader(client *cluster.Client, o StatusOptions) *statusReader {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &statusReader{o, client}
}

// read reads everything through a view: first at what is installed, then side by side at how that is and what is around it.
func (r *statusReader) read(ctx context.Context, view cluster.View) (*Overview, error) {
	overview := NewOverview(r.client)
	expose.Ahead(ctx, view)
	inventory, err := r.inventory(ctx, view, overview)
	if err != nil {
		return nil, err
	}
	var running sync.WaitGroup
	for _, part := range []func(context.Context, cluster.View, *Overview){r.dashboard, r.nodes, r.lastFix} {
		running.Go(func() { part(ctx, view, overview) })
	}
	running.Go(func() {
		if version, err := view.Version(ctx); err == nil {
			overview.Kubernetes = version.GitVersion
		}
	})
	options := status.Options{Tree: r.Tree, All: r.All}
	if overview.AtWork, err = lock.CurrentHolder(ctx, view, r.Now()); err == nil {
		options.Locked = overview.AtWork != nil
		overview.Status, err = status.Read(ctx, view, inventory, options)
	}
	running.Wait()
	if overview.Release.From == "inventory" {
		target, _ := release.UpgradeFrom(overview.Release.Name, overview.Kubernetes)
		overview.Upgrade = target.Version
	}
	return overview, err
}

// inventory finds what is installed: by its record, else by what runs.
func (r *statusReader) inventory(ctx context.Context, view cluster.View, overview *Overview) (*inventory.Inventory, error) {
	records, err := inventory.Read(ctx, view)
	hidden := apierrors.IsForbidden(err)
	var untrusted error
	if inventory.Untrusted(err) {
		untrusted, err = err, nil
		overview.Warnings = append(overview.Warnings, short(untrusted))
	}
	if err != nil && !hidden {
		return nil, err
	}
	var all []*inventory.Inventory
	if records != nil {
		all = records.Installed
		overview.Warnings = append(overview.Warnings, recordNotices(records)...)
	}
	chosen := inventory.Choose(all, r.Name)
	for _, inventory := range all {
		if inventory != chosen {
			overview.Others = append(overview.Others, inventory.Name)
		}
	}
	if chosen != nil && chosen.Uninstalled && r.Name == "" {
		return r.afterUninstall(ctx, view, overview, chosen)
	}
	if chosen != nil {
		overview.Release = doctor.KnownRelease{Name: chosen.Release, From: "inventory"}
		return chosen, nil
	}
	if r.Name != "" {
		return nil, &problem.Error{What: fmt.Sprintf("there is no installation named %q on this cluster", r.Name),
			Next: "There is: " + cmp.Or(strings.Join(overview.Others, ", "), "none. Install with: kubectl kubeflow install")}
	}
	found, failed := status.Detect(ctx, view)
	switch {
	case failed != nil && hidden:
		return nil, err // who may not even read the record learns what permission that takes
	case failed != nil:
		return nil, failed
	case found == nil && untrusted != nil:
		return nil, untrusted
	case found == nil && hidden:
		return nil, err
	case found == nil:
		return nil, &problem.Error{What: fmt.Sprintf("there is no Kubeflow on %s", cmp.Or(r.client.Context, r.client.Server())), Next: "Install it with: kubectl kubeflow install"}
	}
	overview.Release.From = "fingerprint"
	if known, err := doctor.Recognise(ctx, view); err == nil && known != nil {
		overview.Release.Name = known.Version
	}
	return found, nil
}

// afterUninstall finds a Kubeflow that came by other means after this program's was taken off, and else says that there is none.
func (r *statusReader) afterUninstall(ctx context.Context, view cluster.View, overview *Overview, remains *inventory.Inventory) (*inventory.Inventory, error) {
	if found, err := status.Detect(ctx, view); err == nil && found != nil {
		overview.Others = append(overview.Others, remains.Name)
		overview.Release.From = "fingerprint"
		return found, nil
	}
	return nil, &problem.Error{
		What: fmt.Sprintf("there is no Kubeflow on %s any more; it was uninstalled, and %s of user data were kept", cmp.Or(r.client.Context, r.client.Server()), text.Plural(len(remains.Objects), "object")),
		Next: "See what was kept with: kubectl kubeflow uninstall --dry-run, or install again with: kubectl kubeflow install",
	}
}

// dashboard fills in where the dashboard is.
func (r *statusReader) dashboard(ctx context.Context, view cluster.View, overview *Overview) {
	target, err := expose.Read(ctx, view)
	if err != nil {
		overview.Dashboard.Why = short(r.client.Explain(err))
		return
	}
	overview.Dashboard.Endpoints = append(overview.Dashboard.Endpoints, expose.Endpoints(target)...)
	for _, e := range overview.Dashboard.Endpoints {
		overview.Dashboard.URL = cmp.Or(overview.Dashboard.URL, e.URL)
		if e.Reach == dashboard.Public && !target.Authentication.Proven {
			overview.Dashboard.Unprotected = target.Authentication.Reason
		}
	}
}

// nodes fills in what the cluster's nodes are.
func (r *statusReader) nodes(ctx context.Context, _ cluster.View, overview *Overview) {
	if nodes, err := r.client.Nodes(ctx); err == nil { // who may not list nodes does without
		overview.Nodes = status.Pools(nodes)
	}
}

// lastFix fills in the last run of doctor --fix.
func (r *statusReader) lastFix(ctx context.Context, _ cluster.View, overview *Overview) {
	runs, err := fixes.Runs(ctx, r.client)
	if err != nil || len(runs) == 0 {
		return
	}
	last := runs[0]
	overview.LastFix = &LastFix{Run: last.Name, Started: last.Started, Changes: len(last.Changes()), State: "done"}
	switch {
	case last.Undone:
		overview.LastFix.State = "undone"
	case !last.Finished:
		overview.LastFix.State = "interrupted"
	}
}

// short is the first line of an error.
func short(err error) string {
	var failure *problem.Error
	message := err.Error()
	if errors.As(err, &failure) {
		message = failure.What
	}
	line, _, _ := strings.Cut(message, "\n")
	return line
}

// Inspect compares a cluster with what was installed, as status does, for the checks of the doctor.
func Inspect(ctx context.Context, view cluster.View) (*doctor.Inspection, error) {
	all, err := inventory.List(ctx, view)
	if err != nil && !apierrors.IsForbidden(err) && !inventory.Untrusted(err) {
		return nil, err
	}
	chosen := inventory.Choose(all, "")
	recorded := chosen != nil && !chosen.Uninstalled
	if !recorded {
		found, failed := status.Detect(ctx, view)
		if found == nil {
			return &doctor.Inspection{Absent: true}, cmp.Or(failed, err)
		}
		chosen = found
	}
	now, err := view.Now(ctx)
	if err != nil {
		now = time.Now()
	}
	holder, err := lock.CurrentHolder(ctx, view, now)
	if err != nil && !apierrors.IsForbidden(err) {
		return nil, err
	}
	locked := holder != nil && !holder.Own // a fix looks again while it holds the Lease itself
	read, err := status.Read(ctx, view, chosen, status.Options{All: true, Locked: locked})
	if err != nil {
		return nil, err
	}
	return inspection(chosen, read, recorded, locked), nil
}

func inspection(inv *inventory.Inventory, read *status.Status, recorded, locked bool) *doctor.Inspection {
	out := &doctor.Inspection{Recorded: recorded, Release: inv.Release, Interrupted: read.Interrupted, AtWork: locked || read.Uninstalling}
	entries, drift := inv.Entries(), map[cluster.Ref][]string{}
	for _, d := range read.Drift {
		drift[d.Ref.Identity()] = d.Fields
	}
	for _, c := range read.Components {
		for _, item := range c.Items {
			id := item.Ref.Identity()
			e := entries[id]
			out.Objects = append(out.Objects, doctor.Inspected{
				Ref: item.Ref, Component: c.Name, State: string(item.State), Why: item.Why, Replicas: e.Replicas, Stopped: e.Stopped, Drift: drift[id],
			})
		}
	}
	return out
}
