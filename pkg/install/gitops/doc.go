// Package gitops writes a plan as files for programs that apply manifests from a Git repository: one folder per wave of
// [plan.Plan.Waves], and what tells Argo CD or Flux to apply them one after another. A further format is an entry in [formats].
package gitops
