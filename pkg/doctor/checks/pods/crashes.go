package pods

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/pipelines"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var Crashes = &doctor.Check{
	ID:    "pods/crashes",
	Title: "No pod is crash-looping",
	Why: "A container that exits soon after it starts is restarted at ever longer intervals (CrashLoopBackOff), and its function is " +
		"unavailable meanwhile. This check lists those for which no other check knows the reason.",
	FixNote: "If a container exceeds its memory limit (OOMKilled), --fix (with --allow-restart) doubles the limit. Otherwise there is no automatic fix: the container's log says why it exits, " +
		"and the finding gives the command to read it.",
	Reads: []schema.GroupKind{kube.PodKind, kube.NamespaceKind, kube.DeploymentKind, kube.StatefulSetKind},
	Writes: []doctor.Write{
		{Kind: kube.DeploymentKind, In: workloads.Namespaces, Fields: []string{memoryLimit}},
		{Kind: kube.StatefulSetKind, In: workloads.Namespaces, Fields: []string{memoryLimit}},
	},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		pods, err := workloads.KubeflowPods(ctx, e)
		if err != nil {
			return nil, err
		}
		var findings []doctor.Finding
		reported := map[string]bool{} // by owner: the pods of one Deployment crash alike
		for _, pod := range pods {
			c, crashing := workloads.CrashingContainer(pod)
			if !crashing {
				continue
			}
			if owner := pod.GetNamespace() + "/" + pod.GetGenerateName() + c.Name; !reported[owner] {
				reported[owner] = true
				f := crashFinding(pod, c)
				if err := judgeMemory(ctx, e, &f, pod, c); err != nil {
					return nil, err
				}
				findings = append(findings, f)
			}
		}
		return findings, nil
	},
}

// The texts of the finding.
const (
	crashMessage   = "%s is crash-looping (%s)"
	crashImpact    = "Its function is unavailable."
	crashAdvice    = "Read what the container logged before it exited."
	exitCause      = "The container exits with code %d."
	exitCauseNamed = "The container exits with code %d (%s)."
	crashContainer = "container %s"
	crashExitCode  = "exit code %d"
)

// knownCrashes maps a pod's label app or component to the check that explains its crashes.
var knownCrashes = map[string]string{
	"mpi-operator": "training/mpi-operator", "workflow-controller": "pipelines/executor",
	"metadata-grpc-server": pipelines.MetadataStoreID, "mysql": pipelines.DatabaseID,
}

func crashFinding(pod *unstructured.Unstructured, c kube.Container) doctor.Finding {
	f := doctor.Finding{
		Severity:    doctor.Warning,
		About:       doctor.Subject{Ref: cluster.RefOf(pod), Field: "status.containerStatuses"},
		Message:     fmt.Sprintf(crashMessage, kube.KindName(pod), strings.Join(crashDetails(c), ", ")),
		Consequence: crashImpact,
		ExplainedBy: cmp.Or(knownCrashes[pod.GetLabels()["app"]], knownCrashes[pod.GetLabels()["component"]]),
		Advice:      crashAdvice,
		Needs:       append(workloads.WorkloadsOf(pod), cluster.RefOf(pod)),
		Command:     fmt.Sprintf("kubectl logs -n %s %s -c %s --previous", escape.Word(pod.GetNamespace()), escape.Word(pod.GetName()), escape.Word(c.Name)),
	}
	if c.Last != nil {
		f.Cause = fmt.Sprintf(exitCause, c.Last.Code)
		if reason := c.Last.Reason; reason != "" && reason != "Error" {
			f.Cause = fmt.Sprintf(exitCauseNamed, c.Last.Code, reason)
		}
	}
	return f
}

// crashDetails names the container, with the exit code and the restarts if the status has them.
func crashDetails(c kube.Container) []string {
	details := []string{fmt.Sprintf(crashContainer, c.Name)}
	if c.Last != nil {
		details = append(details, fmt.Sprintf(crashExitCode, c.Last.Code))
	}
	if c.Restarts > 0 {
		details = append(details, text.Plural(int(c.Restarts), "restart"))
	}
	return details
}
