package checks

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var workflowController = &doctor.Check{
	ID:    "pipelines/workflow-controller",
	Title: "the controller that runs pipelines runs",
	Why:   "A pipeline's run is a Workflow, and the workflow controller makes its pods. While it is down every run stays Pending, and nothing in the dashboard says why.",
	Cure:  "Nothing by itself: why it does not run decides what helps. A setting that it does not understand is the business of pipelines/executor.",
	Reads: []schema.GroupKind{deploymentKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		controller, err := e.Get(ctx, cluster.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: kubeflow, Name: "workflow-controller"})
		if apierrors.IsNotFound(err) {
			return nil, doctor.Skip("Kubeflow Pipelines is not installed")
		}
		if err != nil {
			return nil, err
		}
		c, said := condition(controller, "Available")
		if !said || text(c, "status") != "False" {
			return nil, nil
		}
		return []doctor.Finding{{
			Severity:    doctor.Error,
			About:       doctor.Subject{Ref: cluster.RefOf(controller), Field: "status.conditions"},
			Message:     "the workflow controller does not run",
			Consequence: "Runs of pipelines stay Pending.",
			Cause:       text(c, "message"),
			ExplainedBy: "pipelines/executor",
			Advice:      "Its log says why it ended.",
			Command:     fmt.Sprintf("kubectl logs -n %s deployment/workflow-controller --previous", kubeflow),
		}}, nil
	},
}
