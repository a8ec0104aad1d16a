package pods

import (
	"context"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var Ready = &doctor.Check{
	ID:    "pods/ready",
	Title: "No pod waits to become ready",
	Why: "A pod waits when a Secret or ConfigMap is missing, when its node has no address or no disk slot for it, when a volume cannot be mounted, when no node " +
		"takes it, or when its containers run and do not answer their probes. Only the pod and its events say which it is.",
	FixNote: "No automatic fix: the finding quotes the cause and says what to do.",
	Reads:   []schema.GroupKind{kube.PodKind, kube.NamespaceKind, kube.EventKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		pods, err := workloads.KubeflowPods(ctx, e)
		if err != nil {
			return nil, err
		}
		var findings []doctor.Finding
		at := map[string]int{} // by owner and reason: the pods of one workload wait for the same
		var starting []*unstructured.Unstructured
		for _, pod := range pods {
			problem := kube.WhyNotReady(pod)
			if problem == nil || problem.State == kube.Crashed || !workloads.OnCluster(pod) {
				continue
			}
			if !workloads.Older(ctx, e, workloads.PodSince(pod), podPatience(problem)) {
				starting = append(starting, pod)
				continue
			}
			reason, err := workloads.ReasonOf(ctx, e, pod)
			if err != nil {
				return nil, err
			}
			if reason == nil {
				continue
			}
			key := pod.GetNamespace() + "/" + ownerName(pod) + reason.What
			if i, reported := at[key]; reported {
				findings[i].Affects = append(findings[i].Affects, cluster.RefOf(pod))
				continue
			}
			at[key] = len(findings)
			findings = append(findings, waitingFinding(pod, reason))
		}
		if len(starting) > 0 {
			findings = append(findings, startingFinding(starting))
		}
		return findings, nil
	},
}

// podPatience is how long a pod may take: running containers may have to wait for others.
func podPatience(problem *kube.PodProblem) time.Duration {
	if problem.State == kube.Unready {
		return 10 * time.Minute
	}
	return 5 * time.Minute
}

// ownerName returns the part of a pod's name that it shares with the others of its workload.
func ownerName(pod *unstructured.Unstructured) string {
	if name := pod.GetGenerateName(); name != "" {
		return name
	}
	return pod.GetName()
}

func waitingFinding(pod *unstructured.Unstructured, reason *workloads.PodReason) doctor.Finding {
	return doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(pod), Field: "status"},
		Message:     fmt.Sprintf("%s is not ready: %s", kube.KindName(pod), reason.What),
		Consequence: "What it serves does not work.",
		Cause:       workloads.Sentence(reason.Cause),
		Advice:      reason.Advice,
		Command:     "kubectl describe pod -n " + escape.Words(pod.GetNamespace(), pod.GetName()),
		PerhapsBy:   reason.PerhapsBy,
		Needs:       append(workloads.WorkloadsOf(pod), cluster.RefOf(pod)),
	}
}

func startingFinding(pods []*unstructured.Unstructured) doctor.Finding {
	f := doctor.Finding{
		Severity:    doctor.Info,
		About:       doctor.Subject{Ref: cluster.RefOf(pods[0]), Field: "status"},
		Message:     fmt.Sprintf("%s starting: %s", strings.Replace(text.Plural(len(pods), "pod")+" are", "1 pod are", "1 pod is", 1), text.Names(pods, text.Most, kube.KindName)),
		Consequence: "They are reported as problems if they are not ready soon.",
		Command:     "kubectl kubeflow doctor --wait 10m",
	}
	for _, pod := range pods[1:] {
		f.Affects = append(f.Affects, cluster.RefOf(pod))
	}
	return f
}
