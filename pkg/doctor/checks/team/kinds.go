package team

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

// A kind is what users of a namespace create, and how its pods and its state are known.
type kind struct {
	schema.GroupKind
	label string // of its pods, with its name as the value
	state func(*unstructured.Unstructured) (state, string)
}

// A state is what an object's own status says.
type state int

const (
	working  state = iota // it makes progress, or has nothing to do
	notReady              // it should run, and does not (yet)
	failed                // it has ended, and failed
	ignored               // no controller has seen it
)

// kinds are listed in the order in which they are reported.
var kinds = []kind{
	{kube.NotebookKind, "notebook-name", notebookState},
	{schema.GroupKind{Group: "argoproj.io", Kind: "Workflow"}, "workflows.argoproj.io/workflow", phaseState},
	{schema.GroupKind{Group: "kubeflow.org", Kind: "Experiment"}, "katib.kubeflow.org/experiment", conditionState},
	{schema.GroupKind{Group: "serving.kserve.io", Kind: "InferenceService"}, "serving.kserve.io/inferenceservice", readyState},
	{schema.GroupKind{Group: "trainer.kubeflow.org", Kind: "TrainJob"}, "jobset.sigs.k8s.io/jobset-name", conditionState},
	{schema.GroupKind{Group: "kubeflow.org", Kind: "PyTorchJob"}, trainingLabel, conditionState},
	{schema.GroupKind{Group: "kubeflow.org", Kind: "TFJob"}, trainingLabel, conditionState},
	{schema.GroupKind{Group: "kubeflow.org", Kind: "MPIJob"}, trainingLabel, conditionState},
	{schema.GroupKind{Group: "kubeflow.org", Kind: "XGBoostJob"}, trainingLabel, conditionState},
	{kube.JobKind, "job-name", conditionState},
}

const trainingLabel = "training.kubeflow.org/job-name"

// stopped is the annotation of a Notebook that its user, or culling, has stopped.
const stopped = "kubeflow-resource-stopped"

func notebookState(o *unstructured.Unstructured) (state, string) {
	switch {
	case o.GetAnnotations()[stopped] != "", kube.Number(o.Object, "status", "readyReplicas") > 0:
		return working, ""
	case kube.Map(o.Object, "status") == nil:
		return ignored, ""
	}
	return notReady, ""
}

func phaseState(o *unstructured.Unstructured) (state, string) {
	message := kube.Text(o.Object, "status", "message")
	switch kube.Text(o.Object, "status", "phase") {
	case "":
		return ignored, message
	case "Failed", "Error":
		return failed, message
	case "Succeeded":
		return working, ""
	}
	return notReady, message
}

// conditionState reads the conditions that jobs and experiments have in common.
func conditionState(o *unstructured.Unstructured) (state, string) {
	if len(kube.Map(o.Object, "status")) == 0 {
		return ignored, ""
	}
	for _, c := range kube.Conditions(o) {
		if c.Status != "True" {
			continue
		}
		switch c.Type {
		case "Failed", "FailureTarget":
			return failed, c.Message
		case "Succeeded", "Complete", "SuccessCriteriaMet", "Suspended":
			return working, ""
		}
	}
	return notReady, ""
}

// readyState reads the condition Ready, and quotes the part that is not: it says more than the summary.
func readyState(o *unstructured.Unstructured) (state, string) {
	if len(kube.Conditions(o)) == 0 {
		return ignored, ""
	}
	if kube.IsTrue(o, "Ready") {
		return working, ""
	}
	message := ""
	for _, c := range kube.Conditions(o) {
		if c.Status == "False" && c.Message != "" && (message == "" || c.Type != "Ready") {
			message = strings.TrimSpace(c.Message)
		}
	}
	return notReady, message
}
