package verify

import (
	"context"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

var katib = &Test{
	Name: "katib", Title: "An experiment runs two trials and finds the better one",
	Checks:  []string{"pods", "platform", "tenancy", "mesh"},
	Parts:   []string{"katib"},
	Uses:    []Use{Shell},
	Applies: needs("Katib", experimentKind),
	Run:     runKatib,
}

var experimentKind = schema.GroupVersionKind{Group: "kubeflow.org", Version: "v1beta1", Kind: "Experiment"}

// runKatib tunes a program that prints its own parameter as its accuracy.
func runKatib(ctx context.Context, t *T) error {
	image, err := t.Image(ctx, Shell)
	if err != nil {
		return err
	}
	trial := map[string]any{"apiVersion": "batch/v1", "kind": "Job", "spec": map[string]any{"backoffLimit": int64(0), "template": map[string]any{
		"metadata": alone(), "spec": program("trial", image, "echo accuracy=${trialParameters.x}; sleep 2"),
	}}}
	made, err := t.Create(ctx, object("kubeflow.org/v1beta1", "Experiment", "katib", map[string]any{
		"objective":          map[string]any{"type": "maximize", "objectiveMetricName": "accuracy"},
		"algorithm":          map[string]any{"algorithmName": "random"},
		"parallelTrialCount": int64(2), "maxTrialCount": int64(2), "maxFailedTrialCount": int64(0),
		"parameters": []any{map[string]any{"name": "x", "parameterType": "double", "feasibleSpace": map[string]any{"min": "0.1", "max": "0.9"}}},
		"trialTemplate": map[string]any{
			"primaryContainerName": "trial", "trialSpec": trial,
			"trialParameters": []any{map[string]any{"name": "x", "reference": "x", "description": "what is tuned"}},
		},
	}))
	if err != nil {
		return err
	}
	done, err := t.await(ctx, made, outcome{good: []string{"Succeeded"}, bad: []string{"Failed"}, pods: "katib.kubeflow.org/experiment=katib", container: "trial"})
	if err != nil {
		return err
	}
	best := kube.Items(done.Object, "status", "currentOptimalTrial", "observation", "metrics")
	if len(best) == 0 {
		return &Failure{Message: "the experiment succeeded without an optimal trial: its metrics were not collected", Next: "The webhook that adds the metrics collector may not select the namespace: kubectl kubeflow doctor platform tenancy"}
	}
	t.Detail("2 trials, best %s %s", kube.Text(best[0], "name"), cmpOr(kube.Text(best[0], "latest"), kube.Text(best[0], "max")))
	return nil
}
