package checks

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

const metadataStoreID = "pipelines/metadata-store"

var metadataStore = &doctor.Check{
	ID:    metadataStoreID,
	Title: "the metadata store gets into its database",
	Why: "The store that remembers what every step of a pipeline read and made speaks to MySQL with an old way of signing in. A newer MySQL, or Azure's, wants another, and the store ends again and again: " +
		"runs go on, and their graphs, inputs and outputs stay empty.",
	Cure:    "Nothing by itself: how the database lets its users in is its keeper's to change. The finding names the statement.",
	Sources: []string{"kubeflow/pipelines#9549", "kubeflow/pipelines#12086", "kubeflow/manifests#2471"},
	Reads:   []schema.GroupKind{podKind, namespaceKind},
	Logs:    true,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		crashes, err := crashesAmong(ctx, e, func(pod *unstructured.Unstructured) bool {
			return pod.GetLabels()["component"] == "metadata-grpc-server"
		})
		if err != nil {
			return nil, err
		}
		for _, c := range crashes {
			if line := c.says("mysql_native_password", "caching_sha2_password", "Authentication plugin"); line != "" {
				f := c.finding("the metadata store cannot sign in to MySQL: they do not know the same way", line)
				f.Consequence = "The graphs, inputs and outputs of runs stay empty."
				f.Advice = "Let its user sign in the old way: ALTER USER 'root' IDENTIFIED WITH mysql_native_password BY '...', with the plugin switched on in MySQL 8.4."
				return []doctor.Finding{f}, nil
			}
			if line := c.says("mysql_real_connect failed", "Can't connect to MySQL", "Unknown MySQL server host"); line != "" {
				f := c.finding("the metadata store does not reach MySQL", line)
				f.Consequence = "The graphs, inputs and outputs of runs stay empty."
				f.ExplainedBy = databaseID
				f.Advice = "See whether MySQL runs; the store starts again by itself once it does."
				return []doctor.Finding{f}, nil
			}
		}
		return nil, nil
	},
}
