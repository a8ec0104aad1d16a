package doctor

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// An Installation is what is about to be applied. The View that goes with it shows the cluster as it will be ([cluster.Overlay]).
type Installation struct {
	Objects   []*unstructured.Unstructured
	Component map[cluster.Ref]string // by identity: the part of Kubeflow that an object belongs to
	Ours      map[cluster.Ref]bool   // by identity: what this program put on the cluster before
	Adopt     []string               // components whose objects may be taken over from whoever manages them
	Now       cluster.View           // the cluster as it is

	Blocked map[string][]*problem.Error // by the ID of a check: what would stop the plan
}

// Brings reports whether an object is among those that are about to be applied.
func (i *Installation) Brings(ref cluster.Ref) bool {
	_, brings := i.Component[ref.Identity()]
	return brings
}

// Adopts reports whether the user said that an object may be taken over.
func (i *Installation) Adopts(ref cluster.Ref) bool {
	return slices.Contains(i.Adopt, i.Component[ref.Identity()])
}
