package kubeflow

import (
	"context"
	"fmt"
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/backup"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/version"
)

// An UpgradePlan is the install of a newer release in the place of the installed one.
type UpgradePlan struct {
	*InstallPlan
	From  string         // the installed release
	Moves []release.Move // what happens to users' data
}

// PrepareUpgrade decides an upgrade to the release of the options, or to the newest that the cluster's Kubernetes supports. Workloads that
// cannot be changed in place are recreated, and never what holds data. It writes nothing.
func PrepareUpgrade(ctx context.Context, client *cluster.Client, o InstallOptions) (*UpgradePlan, error) {
	view := client.View()
	installed, err := installedForUpgrade(ctx, view, o.Name)
	if err != nil {
		return nil, err
	}
	if o.Release, err = o.choose(ctx, view); err != nil {
		return nil, err
	}
	if version.Older(o.Release, installed.Release) {
		return nil, &problem.Error{Usage: true, What: fmt.Sprintf("Kubeflow %s is installed, and %s is older", installed.Release, o.Release),
			Next: fmt.Sprintf("To go back to it: kubectl kubeflow install -r %s --allow-downgrade", escape.Word(o.Release))}
	}
	o.Name, o.Recreate = installed.Name, true
	plan, err := PrepareInstall(ctx, client, o)
	if err != nil {
		return nil, err
	}
	upgrade := &UpgradePlan{InstallPlan: plan, From: installed.Release}
	if target, err := release.Find(o.Release); err == nil {
		upgrade.Moves = target.MovesFrom(installed.Release)
	}
	return upgrade, nil
}

// Backup reads what users own: see [backup.Read].
func (p *UpgradePlan) Backup(ctx context.Context) (*backup.Backup, error) {
	return backup.Read(ctx, p.client.View(), p.Have, p.Release)
}

// installedForUpgrade returns the inventory of the release that is installed.
func installedForUpgrade(ctx context.Context, view cluster.View, name string) (*inventory.Inventory, error) {
	all, err := inventory.List(ctx, view)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(i *inventory.Inventory) bool { return i.Release == "" || i.Uninstalled })
	if found := inventory.Choose(all, name); found != nil {
		return found, nil
	}
	return nil, &problem.Error{What: "no release of Kubeflow that this plugin installed is on the cluster",
		Next: "To install one, or to take over a Kubeflow that something else installed, specify its release: kubectl kubeflow install -r VERSION"}
}
