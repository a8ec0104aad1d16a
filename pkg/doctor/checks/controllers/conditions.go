package controllers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var Conditions = &doctor.Check{
	ID:    "controllers/conditions",
	Title: "Controllers report no failures",
	Why: "A controller writes why an object cannot become ready, or why it failed, into the status of the object: the only place that says it. The " +
		"dashboard shows a part of it, and kubectl get shows less.",
	FixNote: "No automatic fix: the finding quotes the controller, whose message says what to correct.",
	Sources: []string{"https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md"},
	Reads:   append(Kinds(), kube.NamespaceKind, kube.PodKind),
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		for _, k := range kinds {
			cluster.Ahead(ctx, e, cluster.Question{Kind: k.GroupKind, In: k.scope()})
		}
		profiles, err := workloads.ProfileNamespaces(ctx, e)
		if err != nil {
			return nil, err
		}
		var findings []doctor.Finding
		seen := 0
		for _, k := range kinds {
			list, err := e.List(ctx, k.GroupKind, k.scope())
			var unknowable *cluster.ErrUnknowable
			if meta.IsNoMatchError(err) || errors.As(err, &unknowable) || apierrors.IsForbidden(err) && e.Without(err) {
				continue
			}
			if err != nil {
				return nil, err
			}
			seen += len(list)
			found, err := judge(ctx, e, k, list, profiles)
			if err != nil {
				return nil, err
			}
			findings = append(findings, found...)
		}
		if seen == 0 {
			return nil, doctor.Skip("there is nothing that a controller of Kubeflow reports on")
		}
		return findings, nil
	},
}

// patience is how long something may take to become ready.
const patience = 10 * time.Minute

// judge returns one finding for all objects of a kind of which a controller says the same; those of users and Kubeflow's own apart.
func judge(ctx context.Context, e doctor.Exam, k kind, list []*unstructured.Unstructured, profiles map[string]*unstructured.Unstructured) ([]doctor.Finding, error) {
	var groups [][]*complaint
	at := map[string]int{}
	for _, o := range list {
		own := workloads.IsSystem(o.GetNamespace())
		c := k.complaintOf(o)
		if c == nil || !own && profiles[o.GetNamespace()] == nil || !k.ends && !workloads.Older(ctx, e, since(c), patience) {
			continue
		}
		key := fmt.Sprint(own, c.Type, c.Reason)
		if k.ends {
			key = fmt.Sprint(own)
		}
		if _, known := at[key]; !known {
			at[key] = len(groups)
			groups = append(groups, nil)
		}
		groups[at[key]] = append(groups[at[key]], c)
	}
	if len(groups) == 0 {
		return nil, nil
	}
	pods, err := workloads.KubeflowPods(ctx, e)
	if err != nil && !e.Without(err) {
		return nil, err
	}
	var findings []doctor.Finding
	for _, group := range groups {
		findings = append(findings, k.finding(group, pods))
	}
	return findings, nil
}

func since(c *complaint) time.Time {
	if !c.LastTransitionTime.IsZero() {
		return c.LastTransitionTime.Time
	}
	return c.object.GetCreationTimestamp().Time
}

// finding reports objects of a kind of which their controller says the same. What ends may have failed for reasons of its own, and what users
// own is theirs.
func (k kind) finding(group []*complaint, pods []*unstructured.Unstructured) doctor.Finding {
	first := group[0]
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(first.object), Field: "status"},
		Message:     fmt.Sprintf("%s %s", text.Names(group, text.Most, func(c *complaint) string { return kube.KindName(c.object) }), state(k, len(group))),
		Consequence: "What depends on it does not work.",
		Cause:       workloads.Sentence(first.says()),
		Advice:      "Correct what the controller names. If the message says nothing, its log does.",
		Command:     escape.Commandf("kubectl describe %s -n %s %s", resource(k.GroupKind), first.object.GetNamespace(), first.object.GetName()),
	}
	switch {
	case k.ends:
		f.Severity, f.Consequence, f.Advice = doctor.Info, "", "Only its owner knows whether that was expected; the message and the logs of its pods show why."
	case !workloads.IsSystem(first.object.GetNamespace()):
		f.Severity, f.Consequence = doctor.Warning, "Its owner cannot use it."
	}
	for _, c := range group {
		if ref := cluster.RefOf(c.object); ref != f.About.Ref {
			f.Affects = append(f.Affects, ref)
		}
		f.Needs = append(f.Needs, cluster.RefOf(c.object))
	}
	f.Needs = append(f.Needs, k.podsOf(first.object, pods)...)
	return f
}

func state(k kind, n int) string {
	if k.ends {
		return "failed"
	}
	return text.Verb(n, "is", "are") + " not ready"
}

// says quotes a controller: "RevisionMissing: Configuration is waiting for a Revision".
func (c *complaint) says() string {
	said := kube.Cause(strings.TrimSpace(c.Message))
	switch {
	case said == "":
		return c.Reason
	case c.Reason == "" || strings.Contains(said, c.Reason):
		return said
	}
	return c.Reason + ": " + said
}

// podsOf returns the pods of an object: what is wrong with one of them is the cause.
func (k kind) podsOf(o *unstructured.Unstructured, pods []*unstructured.Unstructured) []cluster.Ref {
	var refs []cluster.Ref
	for _, pod := range pods {
		if k.pods != "" && pod.GetNamespace() == o.GetNamespace() && pod.GetLabels()[k.pods] == o.GetName() {
			refs = append(refs, cluster.RefOf(pod))
		}
	}
	return refs
}

func resource(k schema.GroupKind) string {
	return strings.ToLower(k.Kind) + "." + k.Group
}
