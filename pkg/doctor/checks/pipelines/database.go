package pipelines

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

const DatabaseID = "pipelines/database"

var Database = &doctor.Check{
	ID:    DatabaseID,
	Title: "MySQL can use its volume",
	Why: "Kubeflow's own MySQL stores pipelines, runs and experiments. From Kubeflow 1.10 on it runs as a different user, and cannot write " +
		"the files of an older release's MySQL. On a fresh disk it may find a lost+found directory, and treats the disk as already in use.",
	FixNote: "No automatic fix: the volume holds your data. The finding says which of the two it is, and what to do.",
	Sources: []string{"kubeflow/manifests#3018", "kubeflow/website#3990"},
	Reads:   []schema.GroupKind{kube.PodKind, kube.NamespaceKind},
	Logs:    true,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		crashes, err := workloads.FindCrashes(ctx, e, func(pod *unstructured.Unstructured) bool {
			app := pod.GetLabels()["app"]
			return app == "mysql" || pod.GetLabels()["katib.kubeflow.org/component"] == "mysql"
		})
		if err != nil {
			return nil, err
		}
		var findings []doctor.Finding
		for _, c := range crashes {
			var f doctor.Finding
			if line := c.LogLine("Can't create test file", "Permission denied", "lower_case_table_names"); line != "" {
				f = c.Finding("MySQL cannot write to its volume", line)
				f.Advice = "The files belong to an older release's user: set securityContext.fsGroup of the Deployment's pods to 999, or change their owner " +
					"to user 999 from a pod that mounts the volume."
			} else if line := c.LogLine("--initialize specified but the data directory has files in it"); line != "" {
				f = c.Finding("MySQL treats its empty volume as already in use", line)
				f.Advice = "Start it with --ignore-db-dir=lost+found (MySQL 5.7), or mount a subdirectory of the volume with subPath."
			} else {
				continue
			}
			f.Consequence = "Pipelines, runs and experiments cannot be read or created."
			findings = append(findings, f)
		}
		return findings, nil
	},
}
