package pipelines

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

const MetadataStoreID = "pipelines/metadata-store"

var MetadataStore = &doctor.Check{
	ID:    MetadataStoreID,
	Title: "ML Metadata can connect to MySQL",
	Why: "The ML Metadata store, which records the inputs and outputs of pipeline steps, authenticates to MySQL with an old authentication " +
		"plugin. A newer MySQL, or Azure's, requires another one, and the store crash-loops: runs continue, but their graphs, inputs and " +
		"outputs stay empty.",
	FixNote: "No automatic fix: the database administrator decides how its users authenticate. The finding gives the SQL statement.",
	Sources: []string{"kubeflow/pipelines#9549", "kubeflow/pipelines#12086", "kubeflow/manifests#2471"},
	Reads:   []schema.GroupKind{kube.PodKind, kube.NamespaceKind},
	Logs:    true,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		crashes, err := workloads.FindCrashes(ctx, e, func(pod *unstructured.Unstructured) bool {
			return pod.GetLabels()["component"] == "metadata-grpc-server"
		})
		if err != nil {
			return nil, err
		}
		for _, c := range crashes {
			if line := c.LogLine("mysql_native_password", "caching_sha2_password", "Authentication plugin"); line != "" {
				f := c.Finding("ML Metadata cannot authenticate to MySQL, which requires another authentication plugin", line)
				f.Consequence = "The graphs, inputs and outputs of runs stay empty."
				f.Advice = "Switch its user to the old plugin: ALTER USER 'root' IDENTIFIED WITH mysql_native_password BY '...'. In MySQL 8.4 the plugin must be enabled first."
				return []doctor.Finding{f}, nil
			}
			if line := c.LogLine("mysql_real_connect failed", "Can't connect to MySQL", "Unknown MySQL server host"); line != "" {
				f := c.Finding("ML Metadata cannot reach MySQL", line)
				f.Consequence = "The graphs, inputs and outputs of runs stay empty."
				f.ExplainedBy = DatabaseID
				f.Advice = "Check that MySQL is running; the store recovers on its own once it is."
				return []doctor.Finding{f}, nil
			}
		}
		return nil, nil
	},
}
