package uninstall

import (
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/state"
)

// outside returns what is deleted outside of Kubeflow's namespaces: cluster-scoped objects, and those in namespaces that neither a
// release has nor this plan deletes. A user sees each of them by name before confirming.
func (d *planner) outside() []cluster.Ref {
	own := map[string]bool{state.Namespace: true}
	for _, p := range []phase{profiles, namespaces} {
		for _, o := range d.waves[p] {
			if o.GetNamespace() == "" {
				own[o.GetName()] = true
			}
		}
	}
	var refs []cluster.Ref
	for _, wave := range d.plan.Waves {
		for _, o := range wave.Objects {
			if ref := cluster.RefOf(o); !own[ref.Namespace] && !inventory.InKubeflow(ref) {
				refs = append(refs, ref)
			}
		}
	}
	return refs
}

// Outside returns what the plan deletes outside of Kubeflow's namespaces, by kind.
func (r *Plan) Outside() [][]cluster.Ref {
	var kinds [][]cluster.Ref
	for _, ref := range r.Beyond {
		at := slices.IndexFunc(kinds, func(k []cluster.Ref) bool { return k[0].GroupKind() == ref.GroupKind() })
		if at < 0 {
			kinds = append(kinds, []cluster.Ref{ref})
			continue
		}
		kinds[at] = append(kinds[at], ref)
	}
	return kinds
}
