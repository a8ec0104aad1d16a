package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install"
)

// A statusLook knows where to look for what status shows: install knows what is installed, expose where it can be
// reached, doctor what was cured.
type statusLook struct {
	client  *cluster.Client
	name    string
	options install.StatusOptions
	now     func() time.Time
}

func newOverview(client *cluster.Client) *ui.Overview {
	o := &ui.Overview{
		APIVersion: resultVersion, Kind: "Status", Release: doctor.KnownRelease{From: "unknown"},
		Dashboard: ui.Dashboard{Endpoints: []expose.Endpoint{}}, Nodes: []install.Pool{},
	}
	if client != nil {
		o.Context, o.Server = client.Context, client.Server()
	}
	return o
}

// once looks at everything, as it is now.
func (l *statusLook) once(ctx context.Context) (*ui.Overview, error) {
	return l.at(ctx, l.client.View())
}

// at looks at everything through a view: first at what is installed, then side by side at how that is and what is around it.
func (l *statusLook) at(ctx context.Context, view cluster.View) (*ui.Overview, error) {
	overview := newOverview(l.client)
	inventory, err := l.inventory(ctx, view, overview)
	if err != nil {
		return nil, err
	}
	var running sync.WaitGroup
	for _, part := range []func(context.Context, cluster.View, *ui.Overview){l.dashboard, l.nodes, l.lastFix} {
		running.Go(func() { part(ctx, view, overview) })
	}
	running.Go(func() {
		if version, err := view.Version(ctx); err == nil {
			overview.Kubernetes = version.GitVersion
		}
	})
	options := l.options
	if overview.AtWork, err = install.AtWork(ctx, view, l.now()); err == nil {
		options.Working = overview.AtWork != nil
		overview.Status, err = install.LookAt(ctx, view, inventory, options)
	}
	running.Wait()
	return overview, err
}

// inventory finds what is installed: by its record, else by what runs.
func (l *statusLook) inventory(ctx context.Context, view cluster.View, overview *ui.Overview) (*install.Inventory, error) {
	all, err := install.Inventories(ctx, view)
	hidden := apierrors.IsForbidden(err)
	if err != nil && !hidden {
		return nil, err
	}
	chosen := install.Choose(all, l.name)
	for _, inventory := range all {
		if inventory != chosen {
			overview.Others = append(overview.Others, inventory.Name)
		}
	}
	if chosen != nil && chosen.Remains && l.name == "" {
		return l.afterUninstall(ctx, view, overview, chosen)
	}
	if chosen != nil {
		overview.Release = doctor.KnownRelease{Name: chosen.Release, From: "inventory"}
		return chosen, nil
	}
	if l.name != "" {
		return nil, &cluster.Problem{What: fmt.Sprintf("there is no installation named %q on this cluster", l.name),
			Next: "There is: " + cmp.Or(strings.Join(overview.Others, ", "), "none. Install with: kubectl kubeflow install")}
	}
	found, failed := install.Recognised(ctx, view)
	switch {
	case failed != nil && hidden:
		return nil, err // who may not even read the record learns what permission that takes
	case failed != nil:
		return nil, failed
	case found == nil && hidden:
		return nil, err
	case found == nil:
		return nil, &cluster.Problem{What: fmt.Sprintf("there is no Kubeflow on %s", cmp.Or(l.client.Context, l.client.Server())), Next: "Install it with: kubectl kubeflow install"}
	}
	overview.Release.From = "fingerprint"
	if known, err := doctor.Recognise(ctx, view); err == nil && known != nil {
		overview.Release.Name = known.Version
	}
	return found, nil
}

// afterUninstall finds a Kubeflow that came by other means after this program's was taken off, and else says that there is none.
func (l *statusLook) afterUninstall(ctx context.Context, view cluster.View, overview *ui.Overview, remains *install.Inventory) (*install.Inventory, error) {
	if found, err := install.Recognised(ctx, view); err == nil && found != nil {
		overview.Others = append(overview.Others, remains.Name)
		overview.Release.From = "fingerprint"
		return found, nil
	}
	return nil, &cluster.Problem{
		What: fmt.Sprintf("there is no Kubeflow on %s any more; it was uninstalled, and %s of users' data stayed", cmp.Or(l.client.Context, l.client.Server()), countOf(len(remains.Objects), "object")),
		Next: "See what stayed with: kubectl kubeflow uninstall --dry-run, or install again with: kubectl kubeflow install",
	}
}

// dashboard fills in where the dashboard is.
func (l *statusLook) dashboard(ctx context.Context, view cluster.View, overview *ui.Overview) {
	target, err := expose.Look(ctx, view)
	if err != nil {
		overview.Dashboard.Why = short(l.client.Explain(err))
		return
	}
	overview.Dashboard.Endpoints = append(overview.Dashboard.Endpoints, expose.Endpoints(target)...)
	for _, e := range overview.Dashboard.Endpoints {
		overview.Dashboard.URL = cmp.Or(overview.Dashboard.URL, e.URL)
	}
}

// nodes fills in what the cluster's nodes are.
func (l *statusLook) nodes(ctx context.Context, _ cluster.View, overview *ui.Overview) {
	if nodes, err := l.client.Nodes(ctx); err == nil { // who may not list nodes does without
		overview.Nodes = install.Pools(nodes)
	}
}

// lastFix fills in the last run of doctor --fix.
func (l *statusLook) lastFix(ctx context.Context, _ cluster.View, overview *ui.Overview) {
	runs, err := doctor.Runs(ctx, l.client)
	if err != nil || len(runs) == 0 {
		return
	}
	last := runs[0]
	overview.LastFix = &ui.LastFix{Run: last.Name, Started: last.Started, Changes: len(last.Steps), State: "done"}
	switch {
	case last.Undone:
		overview.LastFix.State = "undone"
	case !last.Finished:
		overview.LastFix.State = "interrupted"
	}
}

// short is the first line of an error.
func short(err error) string {
	var problem *cluster.Problem
	text := err.Error()
	if errors.As(err, &problem) {
		text = problem.What
	}
	text, _, _ = strings.Cut(text, "\n")
	return text
}
