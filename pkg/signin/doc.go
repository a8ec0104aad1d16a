// Package signin says who signs in to Kubeflow and how: what stands in front of the dashboard, the users that dex knows itself, and the Profiles with
// their owners and contributors. It decides what to write when people are added and removed, and when users are to sign in with another identity
// provider ([PlanTransition]); passwords and secrets are changed by the fixes of
// [github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/auth].
package signin
