// Package kubeflow holds the use cases: install (and upgrade), uninstall, status, diagnose, fix, undo and expose. It is the
// only package that knows pkg/install, pkg/doctor, pkg/expose and pkg/release together, and it is what a program imports
// to do what the command line does: the patches for AKS, the checks before an install, the passwords and certificates that
// survive it, and the refusal of an unsafe public address are all decided here.
//
// Each use case that writes has two halves. PrepareInstall, PrepareUninstall and PrepareExpose look and decide, and return a
// plan: values to show. Apply on that plan executes it, that plan and no other. Where the cluster has changed in between so
// that the plan no longer holds, Apply stops or asks; it never executes a plan that nobody has seen.
//
//	plan, err := kubeflow.PrepareInstall(ctx, client, kubeflow.InstallOptions{Source: kubeflow.Source{Release: "26.03"}})
//	// show plan.Steps(), plan.Adapted, plan.Refused
//	result, err := plan.Apply(ctx, kubeflow.InstallApplyOptions{Timeout: 30 * time.Minute})
//
// An upgrade is the install of a newer release. To add a use case, copy uninstall.go.
package kubeflow
