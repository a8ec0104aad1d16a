package workloads

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// AvailableID is the check of which others say that it explains their findings.
const AvailableID = "workloads/available"

var Available = &doctor.Check{
	ID:    AvailableID,
	Title: "All workloads are available",
	Why: "A Deployment, StatefulSet or DaemonSet of Kubeflow without ready pods does not do its work, and what depends on it fails with errors that " +
		"name something else. It may be scaled to zero, a quota or a webhook may reject its pods, or they start and never become ready.",
	FixNote: "--fix scales a workload that was scaled to zero back to the replicas that were installed. What keeps pods from being created or ready is in the finding.",
	Reads: []schema.GroupKind{kube.DeploymentKind, kube.StatefulSetKind, kube.DaemonSetKind, kube.PodKind, kube.NamespaceKind, kube.ServiceKind, kube.EventKind,
		kube.ConfigMapKind},
	Writes: Scaled,
	Run:    runAvailable,
}

// patience is how long a workload may take to become available.
const patience = 10 * time.Minute

func runAvailable(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
	all, err := ListKubeflow(ctx, e, kube.DeploymentKind, kube.StatefulSetKind, kube.DaemonSetKind)
	if err != nil {
		return nil, err
	}
	installed, unread := e.Installed(ctx)
	if unread != nil && (!e.Without(unread) || slices.ContainsFunc(all, func(o *unstructured.Unstructured) bool { return scales(o) && kube.Replicas(o) == 0 })) {
		return nil, unread // only the record knows whether that is a fault
	}
	if all, err = withInstalled(ctx, e, all, installed); err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(o *unstructured.Unstructured) bool { return !OnCluster(o) || o.GetDeletionTimestamp() != nil })
	if len(all) == 0 {
		return nil, doctor.Skip("there are no workloads of Kubeflow on the cluster")
	}
	pods, err := KubeflowPods(ctx, e)
	if err != nil && !e.Without(err) {
		return nil, err
	}
	var findings []doctor.Finding
	for _, o := range all {
		f, err := judgeWorkload(ctx, e, o, installed.Find(cluster.RefOf(o)), podsOf(o, pods))
		if err != nil {
			return nil, err
		}
		if f == nil {
			continue
		}
		if err := addServices(ctx, e, o, f); err != nil {
			return nil, err
		}
		findings = append(findings, *f)
	}
	return joinRejected(findings), nil
}

// withInstalled adds the installed workloads that are in other namespaces, or are Jobs, and are not ready.
func withInstalled(ctx context.Context, e doctor.Exam, all []*unstructured.Unstructured, installed *doctor.Inspection) ([]*unstructured.Unstructured, error) {
	if installed == nil {
		return all, nil
	}
	seen := map[cluster.Ref]bool{}
	for _, o := range all {
		seen[cluster.RefOf(o).Identity()] = true
	}
	for _, o := range installed.Objects {
		if !IsWorkload(o.GroupKind()) || seen[o.Identity()] || o.State != "progressing" && o.State != "failing" {
			continue
		}
		live, err := Find(ctx, e, o.Ref)
		if err != nil && !e.Without(err) {
			return nil, err
		}
		if live != nil {
			all = append(all, live)
		}
	}
	return all, nil
}

func selectorOf(o *unstructured.Unstructured) (labels.Selector, error) {
	var chosen metav1.LabelSelector
	content, _, _ := unstructured.NestedMap(o.Object, "spec", "selector")
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, &chosen); err != nil {
		return nil, fmt.Errorf("reading the selector of %s: %w", cluster.RefOf(o), err)
	}
	return metav1.LabelSelectorAsSelector(&chosen)
}

// podsOf returns the pods that a workload selects and that are not ready.
func podsOf(o *unstructured.Unstructured, pods []*unstructured.Unstructured) []*unstructured.Unstructured {
	chosen, err := selectorOf(o)
	if err != nil || chosen.Empty() {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(pods), func(pod *unstructured.Unstructured) bool {
		return pod.GetNamespace() != o.GetNamespace() || kube.PodReady(pod) || !chosen.Matches(labels.Set(pod.GetLabels()))
	})
}

// judgeWorkload returns what is wrong with a workload, nil if it is ready.
func judgeWorkload(ctx context.Context, e doctor.Exam, o *unstructured.Unstructured, installed *doctor.Inspected, pods []*unstructured.Unstructured) (*doctor.Finding, error) {
	if scales(o) && kube.Replicas(o) == 0 {
		return scaledFinding(o, installed), nil
	}
	ready, why := cluster.Ready(o)
	if ready {
		return nil, nil
	}
	f := &doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(o), Field: "status"},
		Consequence: "What it serves does not work.",
		Advice:      "Its pods and events show the reason.",
		Command:     fmt.Sprintf("kubectl describe %s -n %s %s", escape.Word(strings.ToLower(o.GetKind())), escape.Word(o.GetNamespace()), escape.Word(o.GetName())),
		Needs:       []cluster.Ref{cluster.RefOf(o)},
	}
	rejection, err := rejectionOf(ctx, e, o)
	if err != nil {
		return nil, err
	}
	since := unavailableSince(o, pods)
	for _, pod := range pods {
		f.Needs = append(f.Needs, cluster.RefOf(pod))
	}
	switch {
	case rejection != "":
		f.Cause, f.Advice = "The API server rejects its pods: "+strings.TrimSuffix(kube.Cause(rejection), ".")+".", adviceOnRejection(rejection)
		if m := calledService.FindStringSubmatch(rejection); m != nil {
			f.Needs = append(f.Needs, cluster.Ref{APIVersion: "v1", Kind: "Service", Namespace: m[2], Name: m[1]})
		}
		f.PerhapsBy = []string{"platform/pod-security"}
		why = "its pods cannot be created"
		since = time.Time{}
	case len(pods) > 0:
		reason, err := ReasonOf(ctx, e, pods[0])
		if err != nil {
			return nil, err
		}
		if reason != nil {
			why, f.Cause, f.PerhapsBy = reason.What, reason.Cause, append(reason.PerhapsBy, "pods/ready")
		}
	case installed != nil && installed.Why != "":
		why = installed.Why
	}
	f.Message = fmt.Sprintf("%s is not available: %s", kube.KindName(o), why)
	if kube.Number(o.Object, "status", "readyReplicas")+kube.Number(o.Object, "status", "numberReady") > 0 {
		f.Severity, f.Consequence = doctor.Warning, "It runs with fewer pods, or with those of an older version."
		f.Message = fmt.Sprintf("not all pods of %s are available: %s", kube.KindName(o), why)
	}
	if !Older(ctx, e, since, patience) {
		f.Severity, f.Consequence = doctor.Info, "It may still be starting."
	}
	return f, nil
}

// scales reports whether the number of a workload's pods is its own.
func scales(o *unstructured.Unstructured) bool {
	return o.GetKind() == "Deployment" || o.GetKind() == "StatefulSet"
}

// scaledFinding reports a workload that was scaled to zero, nil if it was installed so.
func scaledFinding(o *unstructured.Unstructured, installed *doctor.Inspected) *doctor.Finding {
	want := appliedReplicas(o)
	switch {
	case installed != nil && installed.Stopped, want == 0:
		return nil
	case installed != nil && installed.Replicas > 0:
		want = installed.Replicas
	case want < 0 && release.StartsAtZero(o.GetNamespace(), o.GetName()):
		return nil
	}
	f := &doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(o), Field: "spec.replicas"},
		Message:     kube.KindName(o) + " is scaled to 0 replicas",
		Consequence: "What it serves does not work.",
		Cause:       "A user scaled it, or a program that saves resources did.",
		Advice:      "Scale it up, unless the component is not needed.",
		Command:     fmt.Sprintf("kubectl scale %s -n %s %s --replicas=%d", escape.Word(strings.ToLower(o.GetKind())), escape.Word(o.GetNamespace()), escape.Word(o.GetName()), max(want, 1)),
	}
	if want > 0 {
		f.Message += fmt.Sprintf("; it was installed with %d", want)
		if MayScale(o) {
			f.Fix = &doctor.Fix{Title: fmt.Sprintf("Scale %s back to %s", kube.KindName(o), text.Plural(int(want), "replica")), Impact: doctor.Safe,
				Changes: []cluster.Change{ScaleTo(o, want)}}
		}
	}
	return f
}

// appliedReplicas returns the replicas that kubectl apply noted, -1 if it noted nothing.
func appliedReplicas(o *unstructured.Unstructured) int64 {
	note := o.GetAnnotations()["kubectl.kubernetes.io/last-applied-configuration"]
	var applied struct {
		Spec struct {
			Replicas *int64 `json:"replicas"`
		} `json:"spec"`
	}
	if note == "" || json.Unmarshal([]byte(note), &applied) != nil {
		return -1
	}
	if applied.Spec.Replicas == nil {
		return 1
	}
	if n := *applied.Spec.Replicas; n >= 0 && n < 1000 {
		return n
	}
	return -1
}

// unavailableSince returns since when a workload is not available, the zero time if that is unknown.
func unavailableSince(o *unstructured.Unstructured, pods []*unstructured.Unstructured) time.Time {
	if c := kube.Condition(o, "Available"); c != nil && c.Status == "False" {
		return c.LastTransitionTime.Time
	}
	since := time.Time{}
	for _, pod := range pods {
		if t := PodSince(pod); since.IsZero() || t.Before(since) {
			since = t
		}
	}
	if len(pods) > 0 {
		return since
	}
	return o.GetCreationTimestamp().Time
}
