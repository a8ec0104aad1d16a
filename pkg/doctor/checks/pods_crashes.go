package checks

import (
	"cmp"
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var crashes = &doctor.Check{
	ID:    "pods/crashes",
	Title: "no pod of Kubeflow ends again and again",
	Why: "A container that ends soon after it starts is started again at ever longer intervals, and what it does for Kubeflow is not done. This check says which ones these are where no other " +
		"check knows why.",
	Cure:  "Nothing by itself: the container's log says why it ended, and the finding how to read it.",
	Reads: []schema.GroupKind{podKind, namespaceKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		pods, err := ownPods(ctx, e)
		if err != nil {
			return nil, err
		}
		var findings []doctor.Finding
		told := map[string]bool{} // by what made them: the pods of one Deployment crash alike
		for _, pod := range pods {
			status, crashing := crashingContainer(pod)
			if !crashing {
				continue
			}
			if maker := pod.GetNamespace() + "/" + pod.GetGenerateName() + text(status, "name"); !told[maker] {
				told[maker] = true
				findings = append(findings, judgeCrash(pod, status))
			}
		}
		return findings, nil
	},
}

// crashingContainer returns the status of the first container that the kubelet no longer starts at once.
func crashingContainer(pod *unstructured.Unstructured) (map[string]any, bool) {
	for _, list := range []string{"initContainerStatuses", "containerStatuses"} {
		for _, status := range items(pod.Object, "status", list) {
			if text(status, "state", "waiting", "reason") == "CrashLoopBackOff" {
				return status, true
			}
		}
	}
	return nil, false
}

// knownCrashes are the checks that know why some pods crash, by the pods' label app or component.
var knownCrashes = map[string]string{
	"mpi-operator": "training/mpi-operator", "workflow-controller": "pipelines/executor",
	"metadata-grpc-server": metadataStoreID, "mysql": databaseID,
}

func judgeCrash(pod *unstructured.Unstructured, status map[string]any) doctor.Finding {
	f := doctor.Finding{
		Severity:    doctor.Warning,
		About:       doctor.Subject{Ref: cluster.RefOf(pod), Field: "status.containerStatuses"},
		Message:     fmt.Sprintf("container %s of pod %s ends again and again", text(status, "name"), pod.GetName()),
		Consequence: "What it does is not done.",
		ExplainedBy: cmp.Or(knownCrashes[pod.GetLabels()["app"]], knownCrashes[pod.GetLabels()["component"]]),
		Advice:      "Read what it logged before it ended.",
		Command:     fmt.Sprintf("kubectl logs -n %s %s -c %s --previous", pod.GetNamespace(), pod.GetName(), text(status, "name")),
	}
	if code, ended, _ := unstructured.NestedInt64(status, "lastState", "terminated", "exitCode"); ended {
		f.Cause = fmt.Sprintf("It ended with exit code %d", code)
		if reason := text(status, "lastState", "terminated", "reason"); reason != "" && reason != "Error" {
			f.Cause += " (" + reason + ")"
		}
		f.Cause += "."
	}
	return f
}
