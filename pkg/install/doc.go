// Package install puts a Kubeflow release on a cluster, keeps it there, and says what is there.
//
// [NewPlan] decides: from the rendered objects and a look at the cluster it makes a [Plan], in which each object
// has the gates it waits for, and nothing is touched. [Preflight] says, before the first write, everything that
// would stop it. [Run] carries a Plan out and tells an observer, as an [Event], each thing that happens. The
// [Inventory] in the cluster records what an install put there, so that a cut-off install leaves a record and the
// same command finishes it.
//
// To add a gate, copy webhook.go: find what an object waits for in planning, and say in opening.go when it opens.
package install

// Manager is the field manager of everything that install applies.
const Manager = "kubectl-kubeflow"
