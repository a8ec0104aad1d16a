package controllers

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

// A kind says how the controller of a kind reports that something is wrong.
type kind struct {
	schema.GroupKind
	ready  string   // the condition that is True when all is well, "" if there is none
	failed []string // conditions that are True when it failed
	phases []string // values of status.phase with which it failed
	ends   bool     // it runs to an end, and may fail for reasons of its own
	pods   string   // the label of its pods that has its name
	labels string   // which of them are read, where those that failed can be told by a label
}

const (
	kubeflowGroup = "kubeflow.org"
	servingGroup  = "serving.kserve.io"
	trainingLabel = "training.kubeflow.org/job-name"
)

// kinds are listed in the order in which they are reported: what others depend on comes first.
var kinds = []kind{
	{GroupKind: schema.GroupKind{Group: "cert-manager.io", Kind: "Issuer"}, ready: "Ready"},
	{GroupKind: schema.GroupKind{Group: "operator.knative.dev", Kind: "KnativeServing"}, ready: "Ready"},
	{GroupKind: schema.GroupKind{Group: "operator.knative.dev", Kind: "KnativeEventing"}, ready: "Ready"},
	{GroupKind: schema.GroupKind{Group: kubeflowGroup, Kind: "Notebook"}, ready: "Ready", pods: "notebook-name"},
	{GroupKind: schema.GroupKind{Group: servingGroup, Kind: "InferenceService"}, ready: "Ready", pods: "serving.kserve.io/inferenceservice"},
	{GroupKind: schema.GroupKind{Group: servingGroup, Kind: "InferenceGraph"}, ready: "Ready"},
	{GroupKind: schema.GroupKind{Group: servingGroup, Kind: "TrainedModel"}, ready: "Ready"},
	{GroupKind: schema.GroupKind{Group: "serving.knative.dev", Kind: "Service"}, ready: "Ready"},
	{GroupKind: schema.GroupKind{Group: kubeflowGroup, Kind: "Experiment"}, failed: []string{"Failed"}, ends: true, pods: "katib.kubeflow.org/experiment"},
	{GroupKind: schema.GroupKind{Group: kubeflowGroup, Kind: "Suggestion"}, failed: []string{"Failed"}, ends: true},
	{GroupKind: schema.GroupKind{Group: kubeflowGroup, Kind: "PyTorchJob"}, failed: []string{"Failed"}, ends: true, pods: trainingLabel},
	{GroupKind: schema.GroupKind{Group: kubeflowGroup, Kind: "TFJob"}, failed: []string{"Failed"}, ends: true, pods: trainingLabel},
	{GroupKind: schema.GroupKind{Group: kubeflowGroup, Kind: "MPIJob"}, failed: []string{"Failed"}, ends: true, pods: trainingLabel},
	{GroupKind: schema.GroupKind{Group: kubeflowGroup, Kind: "XGBoostJob"}, failed: []string{"Failed"}, ends: true, pods: trainingLabel},
	{GroupKind: schema.GroupKind{Group: "trainer.kubeflow.org", Kind: "TrainJob"}, failed: []string{"Failed"}, ends: true, pods: "jobset.sigs.k8s.io/jobset-name"},
	{GroupKind: schema.GroupKind{Group: "argoproj.io", Kind: "Workflow"}, phases: []string{"Failed", "Error"}, ends: true, pods: "workflows.argoproj.io/workflow", labels: "workflows.argoproj.io/phase in (Failed,Error)"},
}

// Kinds returns the kinds of the table.
func Kinds() []schema.GroupKind {
	var list []schema.GroupKind
	for _, k := range kinds {
		list = append(list, k.GroupKind)
	}
	return list
}

func (k kind) scope() cluster.Scope {
	if k.Kind == "Notebook" {
		return workloads.EveryNotebook
	}
	return cluster.Scope{Labels: k.labels, Keep: workloads.StatusFields}
}

// A complaint is what a controller says is wrong with an object.
type complaint struct {
	object *unstructured.Unstructured
	metav1.Condition
}

// complaintOf returns what the controller says of an object, nil if all is well, if it has not judged it yet, or if another object that
// is judged itself has made it.
func (k kind) complaintOf(o *unstructured.Unstructured) *complaint {
	if o.GetDeletionTimestamp() != nil || metav1.GetControllerOf(o) != nil || o.GetAnnotations()[stopped] != "" {
		return nil
	}
	conditions := kube.Conditions(o)
	for _, c := range conditions {
		if slices.Contains(k.failed, c.Type) && c.Status == metav1.ConditionTrue {
			return &complaint{o, c}
		}
	}
	if phase := kube.Text(o.Object, "status", "phase"); slices.Contains(k.phases, phase) {
		return &complaint{o, metav1.Condition{Type: phase, Status: metav1.ConditionTrue, Message: kube.Text(o.Object, "status", "message")}}
	}
	if k.ready == "" {
		return nil
	}
	ready := kube.Condition(o, k.ready)
	if ready == nil || ready.Status != metav1.ConditionFalse || ready.ObservedGeneration > 0 && ready.ObservedGeneration < o.GetGeneration() {
		return nil
	}
	return &complaint{o, deepest(*ready, conditions)}
}

// deepest returns the condition that says the most about why another one is not met: a part that is not, and has a message. The
// transition stays that of the whole.
func deepest(whole metav1.Condition, conditions []metav1.Condition) metav1.Condition {
	for _, c := range conditions {
		if c.Type != whole.Type && c.Status == metav1.ConditionFalse && strings.TrimSpace(c.Message) != "" {
			c.LastTransitionTime = whole.LastTransitionTime
			return c
		}
	}
	return whole
}

// stopped is the annotation of a Notebook that its user, or culling, has stopped.
const stopped = "kubeflow-resource-stopped"
