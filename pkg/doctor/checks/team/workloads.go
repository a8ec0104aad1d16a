package team

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var Workloads = &doctor.Check{
	ID:    "team/workloads",
	Title: "Nothing in the namespace is stuck",
	Why: "Notebooks, pipeline runs, experiments, models and jobs wait without a word in the dashboard when their pods cannot be created, scheduled or started. The " +
		"reason is in conditions, pods and events, which every user of the namespace may read.",
	FixNote: "No automatic fix: the finding says what you can do yourself, and what only an administrator of the cluster can.",
	Reach:   doctor.OneNamespace,
	Reads:   append(groupKinds(), kube.PodKind, kube.EventKind),
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		if e.Namespace == "" {
			return nil, doctor.Skip("it is part of doctor -n NAMESPACE")
		}
		n, err := readNamespace(ctx, e)
		if err != nil {
			return nil, err
		}
		var findings []doctor.Finding
		for _, k := range kinds {
			list, err := e.List(ctx, k.GroupKind, cluster.Scope{})
			if meta.IsNoMatchError(err) || apierrors.IsForbidden(err) { // its pods are still looked at
				continue
			}
			if err != nil {
				return nil, err
			}
			findings = append(findings, n.stuck(k, list)...)
		}
		return append(findings, n.stuckPods()...), nil
	},
}

func groupKinds() []schema.GroupKind {
	var list []schema.GroupKind
	for _, k := range kinds {
		list = append(list, k.GroupKind)
	}
	return list
}

// patience is how long something may take to become ready.
const patience = 5 * time.Minute

// A namespace is what explains why something in it is stuck.
type namespace struct {
	pods, events []*unstructured.Unstructured
	now          time.Time
	explained    map[string]bool // pods, by name
}

func readNamespace(ctx context.Context, e doctor.Exam) (*namespace, error) {
	n := &namespace{explained: map[string]bool{}}
	var err error
	if n.pods, err = e.List(ctx, kube.PodKind, cluster.Scope{}); err != nil {
		return nil, err
	}
	if n.events, err = e.List(ctx, kube.EventKind, cluster.Scope{Fields: "type=Warning"}); err != nil && !e.Without(err) {
		return nil, err
	}
	n.now, err = e.Now(ctx)
	return n, err
}

// stuck reports the objects of a kind that should run and do not, and, as information, those that failed.
func (n *namespace) stuck(k kind, list []*unstructured.Unstructured) []doctor.Finding {
	var findings []doctor.Finding
	var failures []*unstructured.Unstructured
	for _, o := range list {
		state, message := k.state(o)
		pods := n.podsOf(k, o.GetName())
		why, pod := n.why(o, pods)
		switch {
		case o.GetDeletionTimestamp() != nil || controlled(o):
		case state == failed:
			failures = append(failures, o)
		case n.now.Sub(o.GetCreationTimestamp().Time) < patience:
		case state == ignored && len(pods) == 0 && why == "":
			findings = append(findings, ignoredFinding(o))
		case state == notReady && why != "", state == notReady && message != "" && k.Kind == "InferenceService":
			findings = append(findings, stuckFinding(o, pod, firstOf(why, message)))
		case state == notReady && k.Kind == "Notebook" && len(pods) == 0:
			findings = append(findings, ignoredFinding(o))
		}
		for _, p := range pods {
			n.explained[p.GetName()] = true
		}
	}
	if len(failures) > 0 {
		findings = append(findings, failedFinding(k, failures))
	}
	return findings
}

// controlled reports whether an object belongs to another one, which is judged itself.
func controlled(o *unstructured.Unstructured) bool {
	return slices.ContainsFunc(o.GetOwnerReferences(), func(owner metav1.OwnerReference) bool { return owner.Controller != nil && *owner.Controller })
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func (n *namespace) podsOf(k kind, name string) []*unstructured.Unstructured {
	var pods []*unstructured.Unstructured
	for _, pod := range n.pods {
		if pod.GetLabels()[k.label] == name {
			pods = append(pods, pod)
		}
	}
	return pods
}

// why returns what keeps an object from running: the problem of one of its pods, or the last warning about it or about what was created for it.
func (n *namespace) why(o *unstructured.Unstructured, pods []*unstructured.Unstructured) (string, *unstructured.Unstructured) {
	for _, pod := range pods {
		if why := n.whyPod(pod); why != "" {
			return why, pod
		}
	}
	if len(pods) > 0 {
		return "", nil
	}
	return n.warning(func(name string) bool { return name == o.GetName() || strings.HasPrefix(name, o.GetName()+"-") }), nil
}

// whyPod returns why a pod does not run, "" if it does or may still start.
func (n *namespace) whyPod(pod *unstructured.Unstructured) string {
	problem := kube.WhyNotReady(pod)
	phase := kube.Text(pod.Object, "status", "phase")
	if problem == nil || problem.State == kube.Terminating || phase == "Failed" || n.now.Sub(pod.GetCreationTimestamp().Time) < patience {
		return ""
	}
	if problem.Persists() {
		return problem.String()
	}
	if phase == "Pending" {
		return firstOf(n.warning(func(name string) bool { return name == pod.GetName() }), problem.String())
	}
	return ""
}

// warning returns the last warning about objects with such a name.
func (n *namespace) warning(about func(name string) bool) string {
	last, at := "", ""
	for _, event := range n.events {
		when := firstOf(kube.Text(event.Object, "lastTimestamp"), kube.Text(event.Object, "eventTime"), kube.Text(event.Object, "metadata", "creationTimestamp"))
		if about(kube.Text(event.Object, "involvedObject", "name")) && when >= at {
			last, at = kube.Text(event.Object, "reason")+": "+kube.Text(event.Object, "message"), when
		}
	}
	return last
}

// stuckPods reports what keeps pods that belong to nothing above: servers, and pods of kinds that may not be read.
func (n *namespace) stuckPods() []doctor.Finding {
	var findings []doctor.Finding
	reported := map[string]bool{} // by owner: its pods are alike
	for _, pod := range n.pods {
		why := n.whyPod(pod)
		owner := firstOf(pod.GetGenerateName(), pod.GetName())
		if why == "" || n.explained[pod.GetName()] || reported[owner] {
			continue
		}
		reported[owner] = true
		findings = append(findings, stuckFinding(pod, pod, why))
	}
	return findings
}

func stuckFinding(o, pod *unstructured.Unstructured, why string) doctor.Finding {
	r := reasonFor(why)
	f := doctor.Finding{
		Severity: doctor.Error,
		About:    doctor.Subject{Ref: cluster.RefOf(o), Field: "status"},
		Message:  fmt.Sprintf("%s %s does not run: %s", o.GetKind(), o.GetName(), text.FirstLine(why)),
		Cause:    r.cause,
		Advice:   r.advise(),
		Admin:    r.nothing,
		Command:  fmt.Sprintf("kubectl describe %s -n %s %s", escape.Word(strings.ToLower(o.GetKind())), escape.Word(o.GetNamespace()), escape.Word(o.GetName())),
	}
	if line := text.FirstLine(why); line != why {
		f.Cause = strings.TrimSpace(f.Cause + " " + why)
	}
	if pod != nil {
		f.Command = fmt.Sprintf("kubectl describe pod -n %s %s", escape.Word(pod.GetNamespace()), escape.Word(pod.GetName()))
	}
	if pod != nil && strings.Contains(why, "crash") {
		f.Command = fmt.Sprintf("kubectl logs -n %s %s --all-containers --previous", escape.Word(pod.GetNamespace()), escape.Word(pod.GetName()))
	}
	return f
}

// ignoredFinding reports an object without pods, events and status: what creates pods for it does not work.
func ignoredFinding(o *unstructured.Unstructured) doctor.Finding {
	return doctor.Finding{
		Severity: doctor.Error,
		About:    doctor.Subject{Ref: cluster.RefOf(o), Field: "status"},
		Message:  fmt.Sprintf("%s %s has no pods", o.GetKind(), o.GetName()),
		Cause:    "The controller for " + o.GetKind() + "s has not processed it.",
		Advice:   "Only an administrator can check the controller: kubectl kubeflow doctor.",
		Admin:    true,
		Command:  fmt.Sprintf("kubectl describe %s -n %s %s", escape.Word(strings.ToLower(o.GetKind())), escape.Word(o.GetNamespace()), escape.Word(o.GetName())),
	}
}

func failedFinding(k kind, list []*unstructured.Unstructured) doctor.Finding {
	slices.SortStableFunc(list, func(a, b *unstructured.Unstructured) int {
		return b.GetCreationTimestamp().Time.Compare(a.GetCreationTimestamp().Time)
	})
	_, message := k.state(list[0])
	f := doctor.Finding{
		Severity: doctor.Info,
		About:    doctor.Subject{Ref: cluster.RefOf(list[0]), Field: "status"},
		Message:  fmt.Sprintf("%s failed: %s", text.Plural(len(list), k.Kind), text.Names(list, text.Most, (*unstructured.Unstructured).GetName)),
		Cause:    text.FirstLine(message),
		Advice:   reasonFor(message).advise(),
		Command:  fmt.Sprintf("kubectl describe %s -n %s %s", escape.Word(strings.ToLower(k.Kind)), escape.Word(list[0].GetNamespace()), escape.Word(list[0].GetName())),
	}
	return f
}
