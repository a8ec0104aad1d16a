package pipelines

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var WorkflowController = &doctor.Check{
	ID:    "pipelines/workflow-controller",
	Title: "Workflow controller is available",
	Why: "A pipeline run is a Workflow, and the workflow controller creates its pods. While the controller is down every run stays Pending, " +
		"and the dashboard does not say why.",
	FixNote: "If the controller is available but has not started a run for ten minutes, --fix (with --allow-restart) restarts it. If it is not " +
		"available, the remedy depends on the reason; pipelines/executor covers unsupported settings.",
	Sources: []string{"kubeflow/examples#911"},
	Reads:   []schema.GroupKind{kube.DeploymentKind, workflowKind},
	Writes:  []doctor.Write{{Kind: kube.DeploymentKind, In: []string{workloads.Namespace}, Names: []string{"workflow-controller"}, Restart: true}},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		controller, err := e.Get(ctx, cluster.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: workloads.Namespace, Name: "workflow-controller"})
		if apierrors.IsNotFound(err) {
			return nil, doctor.Skip("Kubeflow Pipelines is not installed")
		}
		if err != nil {
			return nil, err
		}
		c := kube.Condition(controller, "Available")
		if c == nil || c.Status != metav1.ConditionFalse {
			return notStartedFindings(ctx, e, controller)
		}
		return []doctor.Finding{{
			Severity:    doctor.Error,
			About:       doctor.Subject{Ref: cluster.RefOf(controller), Field: "status.conditions"},
			Message:     notAvailableMessage,
			Consequence: notAvailableImpact,
			Cause:       c.Message,
			ExplainedBy: "pipelines/executor",
			Advice:      notAvailableAdvice,
			Command:     fmt.Sprintf("kubectl logs -n %s deployment/workflow-controller --previous", workloads.Namespace),
		}}, nil
	},
}

// The texts of the findings.
const (
	notAvailableMessage = "Deployment kubeflow/workflow-controller is not available"
	notAvailableImpact  = "Pipeline runs stay Pending."
	notAvailableAdvice  = "Its log has the reason."
	notStartedMessage   = "Deployment kubeflow/workflow-controller has not started %s: %s"
	notStartedImpact    = "They stay Pending."
	notStartedCause     = "The controller is available but does not process them."
	notStartedFix       = "Restart the workflow controller"
)

var workflowKind = schema.GroupKind{Group: "argoproj.io", Kind: "Workflow"}

// startGracePeriod is how long the controller may take to start a run.
const startGracePeriod = 10 * time.Minute

// notStartedFindings reports runs that an available controller has not started: on start it labels a run.
func notStartedFindings(ctx context.Context, e doctor.Exam, controller *unstructured.Unstructured) ([]doctor.Finding, error) {
	list, err := workloads.ListIfKnown(ctx, e, workflowKind, cluster.Scope{Labels: "!workflows.argoproj.io/phase", Metadata: true})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	now, err := e.Now(ctx)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(slices.Clone(list), func(o *unstructured.Unstructured) bool {
		return now.Sub(o.GetCreationTimestamp().Time) < startGracePeriod
	})
	if len(list) == 0 {
		return nil, nil
	}
	return []doctor.Finding{{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(list[0])},
		Message:     fmt.Sprintf(notStartedMessage, text.Plural(len(list), "run"), text.Names(list, text.Most, (*unstructured.Unstructured).GetName)),
		Consequence: notStartedImpact,
		Cause:       notStartedCause,
		Command:     "kubectl rollout restart -n " + workloads.Namespace + " deployment workflow-controller",
		Fix:         &doctor.Fix{Title: notStartedFix, Impact: doctor.RestartsPods, Changes: []cluster.Change{doctor.RestartOf(controller)}},
	}}, nil
}
