package pods

import (
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var Finished = &doctor.Check{
	ID:    "pods/finished",
	Title: "No finished Job is kept running by its sidecar",
	Why: "A Job is complete when its pod has ended, and a pod ends when all of its containers have. An injected sidecar that does not know that the " +
		"main container has ended runs on: the Job, and the Katib trial that waits for it, never completes, and the pod keeps its CPUs and GPUs.",
	FixNote: "No automatic fix: deleting the pod would run the Job again. The finding has the command that ends the sidecar, and the label that leaves it out of the next Job.",
	Sources: []string{"istio/istio#11659", "kubeflow/katib#1042"},
	Reach:   doctor.AlsoOneNamespace,
	Reads:   []schema.GroupKind{kube.PodKind, kube.NamespaceKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		profiles, err := workloads.ProfileNamespaces(ctx, e)
		if err != nil {
			return nil, err
		}
		pods, err := e.List(ctx, kube.PodKind, cluster.Scope{Labels: "job-name", Fields: "status.phase=Running"})
		if err != nil {
			return nil, err
		}
		byJob := map[string][]*unstructured.Unstructured{}
		var jobs []string
		for _, pod := range pods {
			ns := pod.GetNamespace()
			if !workloads.IsSystem(ns) && profiles[ns] == nil || sidecarLeft(pod) == "" {
				continue
			}
			if len(byJob[ns]) == 0 {
				jobs = append(jobs, ns)
			}
			byJob[ns] = append(byJob[ns], pod)
		}
		var findings []doctor.Finding
		for _, ns := range jobs {
			findings = append(findings, finishedFinding(byJob[ns]))
		}
		return findings, nil
	},
}

// Sidecars that are injected.
const (
	istioSidecar   = "istio-proxy"
	linkerdSidecar = "linkerd-proxy"
)

// sidecarLeft returns the sidecar that alone still runs in a pod whose other containers have ended; "" for any other pod.
func sidecarLeft(pod *unstructured.Unstructured) string {
	if kube.Text(pod.Object, "spec", "restartPolicy") == "Always" || pod.GetDeletionTimestamp() != nil {
		return ""
	}
	left, done := "", 0
	for _, c := range kube.Containers(pod) {
		known := c.Name == istioSidecar || c.Name == linkerdSidecar
		switch {
		case c.Init: // one that is a sidecar ends with the pod
		case known && c.State == "running":
			left = c.Name
		case c.State == "terminated" && (c.Done() || kube.Text(pod.Object, "spec", "restartPolicy") == "Never"):
			done++
		default:
			return ""
		}
	}
	if done == 0 {
		return ""
	}
	return left
}

// finishedFinding reports the pods of one namespace that only a sidecar keeps.
func finishedFinding(pods []*unstructured.Unstructured) doctor.Finding {
	pod := pods[0]
	sidecar := sidecarLeft(pod)
	name := func(pod *unstructured.Unstructured) string { return jobOf(pod) }
	jobs := slices.CompactFunc(slices.Clone(pods), func(a, b *unstructured.Unstructured) bool { return jobOf(a) == jobOf(b) })
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(pod), Field: "status.containerStatuses"},
		Message:     fmt.Sprintf("%s in namespace %s: only the sidecar %s is running, the other containers have ended: %s", text.Plural(len(jobs), "Job"), pod.GetNamespace(), sidecar, text.Names(jobs, text.Most, name)),
		Consequence: "The Jobs, and what waits for them, never complete, and their pods keep the resources.",
		Cause:       sidecar + " was injected into the pod of a Job, and does not end with the main container.",
		Advice:      "End the sidecar now. For the next Job, label the pod template sidecar.istio.io/inject: \"false\" (in an Experiment: in spec.trialTemplate.trialSpec), or let Istio inject native sidecars.",
	}
	if sidecar == istioSidecar {
		f.Command = fmt.Sprintf("kubectl exec -n %s %s -c istio-proxy -- pilot-agent request POST quitquitquit", escape.Word(pod.GetNamespace()), escape.Word(pod.GetName()))
	}
	return f
}

// jobOf returns the name of the Job that a pod belongs to.
func jobOf(pod *unstructured.Unstructured) string {
	if owner := metav1.GetControllerOf(pod); owner != nil && owner.Kind == kube.JobKind.Kind {
		return owner.Name
	}
	return pod.GetLabels()["job-name"]
}
