package plan

import (
	"context"
	"fmt"
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// An Overlap lists the objects that a plan shares with another installation on the same cluster, except retained kinds
// such as Namespace.
type Overlap struct {
	With    *inventory.Inventory
	Objects []cluster.Ref
}

// Overlaps returns the objects that a plan shares with each other installation on the cluster.
func (p *Plan) Overlaps() []Overlap {
	want := p.desiredRefs()
	var shares []Overlap
	for _, other := range p.Request.Others {
		share := Overlap{With: other}
		for _, entry := range other.Objects {
			if want[entry.Ref.Identity()] && !Retained(entry.Ref) {
				share.Objects = append(share.Objects, entry.Ref)
			}
		}
		if len(share.Objects) > 0 {
			shares = append(shares, share)
		}
	}
	return shares
}

// sharedWithOthers reports whether an object also belongs to another installation on the cluster.
func (r Request) sharedWithOthers(ref cluster.Ref) bool {
	return slices.ContainsFunc(r.Others, func(other *inventory.Inventory) bool {
		return slices.ContainsFunc(other.Objects, func(e inventory.Entry) bool { return e.Ref.Identity() == ref.Identity() })
	})
}

// CheckSecondInstallation rejects a second complete Kubeflow on a cluster: each would undo the other's changes. An installation
// that already has an inventory under the plan's name can always be changed.
func CheckSecondInstallation(_ context.Context, plan *Plan, _ cluster.View) ([]*problem.Error, error) {
	if !isKubeflow(plan.Release) || plan.Request.Partial || plan.Have != nil {
		return nil, nil
	}
	var problems []*problem.Error
	for _, share := range plan.Overlaps() {
		if !isKubeflow(share.With.Release) || 2*len(share.Objects) < len(plan.Objects) {
			continue // directories of kfctl may make up one Kubeflow, and have a component in common
		}
		problems = append(problems, &problem.Error{
			What: fmt.Sprintf("Kubeflow %s is already installed on this cluster under the name %s: %d objects would belong to both", share.With.Release, share.With.Name, len(share.Objects)),
			Next: fmt.Sprintf("To change that installation: --name %s. To replace it, uninstall it first: kubectl kubeflow uninstall --name %s", share.With.Name, escape.Word(share.With.Name)),
		})
	}
	return problems, nil
}

// isKubeflow reports whether a version is a Kubeflow release, and not a component that doctor adds to one.
func isKubeflow(version string) bool {
	known, err := release.Find(version)
	return version != "" && (err != nil || !known.Hidden)
}
