package checks

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

const databaseID = "pipelines/database"

var database = &doctor.Check{
	ID:    databaseID,
	Title: "the database of pipelines can use its volume",
	Why: "Pipelines, runs and experiments are in a MySQL of Kubeflow's own. From Kubeflow 1.10 on it runs as another user than before, and cannot write what an older release's MySQL wrote; on a fresh " +
		"disk it may find a folder lost+found, and takes the disk for one in use.",
	Cure:    "Nothing by itself: what is on the volume is your data. The finding says which of the two it is, and what helps.",
	Sources: []string{"kubeflow/manifests#3018", "kubeflow/website#3990"},
	Reads:   []schema.GroupKind{podKind, namespaceKind},
	Logs:    true,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		crashes, err := crashesAmong(ctx, e, func(pod *unstructured.Unstructured) bool {
			app := pod.GetLabels()["app"]
			return app == "mysql" || pod.GetLabels()["katib.kubeflow.org/component"] == "mysql"
		})
		if err != nil {
			return nil, err
		}
		var findings []doctor.Finding
		for _, c := range crashes {
			var f doctor.Finding
			if line := c.says("Can't create test file", "Permission denied", "lower_case_table_names"); line != "" {
				f = c.finding("MySQL may not write to its volume", line)
				f.Advice = "The files belong to the user of an older release: set securityContext.fsGroup of the Deployment's pods to 999, or give them to user 999 from a pod that mounts the volume."
			} else if line := c.says("--initialize specified but the data directory has files in it"); line != "" {
				f = c.finding("MySQL takes its empty volume for one in use", line)
				f.Advice = "Start it with --ignore-db-dir=lost+found (MySQL 5.7), or mount a folder of the volume with subPath."
			} else {
				continue
			}
			f.Consequence = "No pipeline, run or experiment can be read or made."
			findings = append(findings, f)
		}
		return findings, nil
	},
}
