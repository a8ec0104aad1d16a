package expose

import (
	"bytes"
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// Uncovered returns the first of the changes that is no part of what was agreed to; nil when all are.
func Uncovered(agreed, changes []cluster.Change) *cluster.Change {
	for _, c := range changes {
		if !slices.ContainsFunc(agreed, func(a cluster.Change) bool {
			return a.Verb == c.Verb && a.Ref() == c.Ref() && bytes.Equal(difference(a), difference(c))
		}) {
			return &c
		}
	}
	return nil
}

// difference is what a change is about: which values become which, or the object for one that is new.
func difference(c cluster.Change) []byte {
	if c.Before == nil || c.After == nil {
		return []byte(cluster.Diff(nil, c.After))
	}
	operations, err := c.Inverse()
	if err != nil {
		return nil
	}
	return operations
}
