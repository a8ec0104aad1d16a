package expose

import (
	"bytes"
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// Uncovered returns the first change that is not part of the agreed ones; nil when all are.
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

// difference is the content of a change: its patch, or the object for a new one.
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
