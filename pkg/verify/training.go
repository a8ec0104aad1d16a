package verify

import (
	"context"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

var training = &Test{
	Name: "training", Title: "A training job runs to its end",
	Checks:  []string{"training", "pods", "platform", "mesh", "tenancy"},
	Parts:   []string{"train", "pytorch", "mpi-operator", "jobset"},
	Uses:    []Use{Shell},
	Applies: needs("An operator for training", trainJobKind, pytorchJobKind, mpiJobKind),
	Run:     runTraining,
}

var (
	trainJobKind   = schema.GroupVersionKind{Group: "trainer.kubeflow.org", Version: "v1alpha1", Kind: "TrainJob"}
	pytorchJobKind = schema.GroupVersionKind{Group: "kubeflow.org", Version: "v1", Kind: "PyTorchJob"}
	mpiJobKind     = schema.GroupVersionKind{Group: "kubeflow.org", Version: "v1", Kind: "MPIJob"}
)

const trainingScript = "echo training; sleep 1; echo trained"

// runTraining runs the smallest job of the kind that the release's users train with.
func runTraining(ctx context.Context, t *T) error {
	image, err := t.Image(ctx, Shell)
	if err != nil {
		return err
	}
	kind, err := t.trainingKind(ctx)
	if err != nil {
		return err
	}
	var spec map[string]any
	end := outcome{good: []string{"Succeeded"}, bad: []string{"Failed"}, container: "pytorch"}
	replica := func(container, script string) map[string]any {
		return map[string]any{"replicas": int64(1), "restartPolicy": "Never", "template": map[string]any{"metadata": alone(), "spec": program(container, image, script)}}
	}
	switch kind {
	case trainJobKind:
		spec = map[string]any{"runtimeRef": map[string]any{"name": "torch-distributed"}, "trainer": map[string]any{
			"image": image, "command": []any{"sh", "-c", trainingScript}, "numNodes": int64(1), "resourcesPerNode": small("128Mi"),
		}, "labels": map[string]any{"sidecar.istio.io/inject": "false"}}
		end = outcome{good: []string{"Complete"}, bad: []string{"Failed"}, pods: "jobset.sigs.k8s.io/jobset-name=training", container: "node"}
	case pytorchJobKind:
		spec = map[string]any{"pytorchReplicaSpecs": map[string]any{"Master": replica("pytorch", trainingScript)}}
		end.pods = "training.kubeflow.org/job-name=training"
	case mpiJobKind:
		spec = map[string]any{"slotsPerWorker": int64(1), "cleanPodPolicy": "All", "mpiReplicaSpecs": map[string]any{
			"Launcher": replica("mpi", trainingScript), "Worker": replica("mpi", "sleep 600"),
		}}
		end.pods, end.container = "mpi_job_name=training", "mpi"
	}
	made, err := t.Create(ctx, object(kind.GroupVersion().String(), kind.Kind, "training", spec))
	if err != nil {
		return err
	}
	if _, err := t.await(ctx, made, end); err != nil {
		return err
	}
	t.Detail("%s %s", kind.Kind, "ran to its end")
	return nil
}

// trainingKind prefers MPIJob where its own operator runs, as up to Kubeflow 1.4.
func (t *T) trainingKind(ctx context.Context) (schema.GroupVersionKind, error) {
	kinds := []schema.GroupVersionKind{trainJobKind, pytorchJobKind, mpiJobKind}
	mpi, err := cluster.IgnoreNotFound(t.View.Get(ctx, cluster.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "kubeflow", Name: "mpi-operator"}))
	if err == nil && mpi != nil {
		kinds = []schema.GroupVersionKind{trainJobKind, mpiJobKind, pytorchJobKind}
	}
	return t.firstServed(ctx, kinds...)
}
