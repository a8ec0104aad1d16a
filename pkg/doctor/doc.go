// Package doctor diagnoses a Kubeflow installation on a cluster, or in rendered manifests before they are applied.
//
// Its main type is the [Check]. [Diagnose] runs checks against a [cluster.View] and returns a [Report]; [PlanFixes] chooses among
// the fixes that the report offers; [Adapt] applies them to rendered objects in memory. Package fixes applies them to a cluster,
// verifies them and undoes them. The checks are in package checks: to add one, copy checks/platform/kubernetes_version.go.
package doctor
