// Package doctor finds what is wrong with a Kubeflow on a cluster (or in rendered manifests, before they
// are applied), says what would cure it, cures it, and takes the cure back.
//
// Its main type is the [Check]. [Diagnose] runs checks against a [cluster.View] and returns a [Report];
// [PlanFixes] chooses among the fixes that the report offers; [ApplyFixes] applies them, looks again and keeps
// what [Undo] needs; [Adapt] applies them to rendered objects in memory. The checks themselves are in the
// package checks: to add one, copy checks/platform/kubernetes_version.go.
package doctor
