package status

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/apply"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/explain"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// assess determines the state of one listed object.
func (s *snapshot) assess(ctx context.Context, e inventory.Entry) Object {
	item := Object{Ref: e.Ref, State: Ready}
	o := s.objects[e.Ref.Identity()]
	switch {
	case s.blind(e):
		item.State, item.Why = Unknown, "you are not allowed to list "+e.Kind
	case o == nil && s.uninstalling:
		item.State, item.Why = Missing, "it was deleted by the uninstall"
	case o == nil && s.unknown[e.GroupKind()]:
		item.State, item.Why = Missing, "the cluster has no kind "+e.GroupKind().String()
	case o == nil && e.Applied == "":
		item.State, item.Why = Missing, s.notYet()
	case o == nil:
		item.State, item.Why = Missing, "it was deleted by another client"
	case o.GetDeletionTimestamp() != nil:
		item.State, item.Why = Progressing, explain.BeingDeleted(o)
	case runsPods(e.Ref):
		s.assessWorkload(ctx, e, o, &item)
	case hasReadiness(e.Ref) && (e.Kind != "Service" || apply.HasReadiness(o)):
		if why := explain.Object(ctx, s.view, o); why != "" {
			item.State, item.Why = Progressing, why
		}
	}
	return item
}

// blind reports whether the user is not allowed to read an object.
func (s *snapshot) blind(e inventory.Entry) bool {
	_, blind := s.unread[plan.Place{Kind: e.GroupKind(), Namespace: e.Namespace}]
	return blind
}

// notYet says why an object that was never applied is missing.
func (s *snapshot) notYet() string {
	if s.locked {
		return "not applied yet"
	}
	return "not applied yet: the install was interrupted"
}

// assessWorkload determines the state of a workload from its status and its pods. One without any is as far from what was installed as
// one whose pods fail.
func (s *snapshot) assessWorkload(ctx context.Context, e inventory.Entry, o *unstructured.Unstructured, item *Object) {
	pods := s.podsOf(o)
	item.Owned = s.owned(ctx, o, pods)
	if ScaledToZero(e, o) {
		item.State, item.Why = Failing, "0/0 ready: it is scaled to zero"
		if e.Replicas > 0 {
			item.Why += fmt.Sprintf(", and was installed with %s", text.Plural(int(e.Replicas), "replica"))
		}
		return
	}
	if item.Why = explain.Object(ctx, s.view, o); item.Why == "" {
		return
	}
	item.State = Progressing
	if stuck(o, pods) {
		item.State = Failing
	}
}

// stuck reports whether a workload is unlikely to become ready by itself: its pods are rejected, or one crashes, cannot pull its
// image, or cannot be scheduled.
func stuck(o *unstructured.Unstructured, pods []*unstructured.Unstructured) bool {
	for _, kind := range []string{"ReplicaFailure", "Failed"} {
		if kube.IsTrue(o, kind) {
			return true
		}
	}
	return slices.ContainsFunc(pods, func(pod *unstructured.Unstructured) bool { return kube.WhyNotReady(pod).Persists() })
}

// ScaledToZero reports whether a workload has been scaled to no pods since it was installed. What no record knows was installed with some,
// unless it is known of the releases that its controller scales it when it is needed.
func ScaledToZero(e inventory.Entry, o *unstructured.Unstructured) bool {
	return kube.Replicas(o) == 0 && !e.Stopped && (e.Replicas > 0 || !release.StartsAtZero(o.GetNamespace(), o.GetName()))
}

// podsOf returns the pods that a workload selects.
func (s *snapshot) podsOf(o *unstructured.Unstructured) []*unstructured.Unstructured {
	chosen, err := explain.Selector(o)
	if err != nil || chosen.Empty() {
		return nil
	}
	var pods []*unstructured.Unstructured
	for _, pod := range s.pods[o.GetNamespace()] {
		if chosen.Matches(labels.Set(pod.GetLabels())) {
			pods = append(pods, pod)
		}
	}
	return pods
}

// owned returns the ReplicaSets and pods beneath a workload.
func (s *snapshot) owned(ctx context.Context, o *unstructured.Unstructured, pods []*unstructured.Unstructured) []Object {
	if s.sets[o.GetNamespace()] == nil && len(pods) == 0 {
		return nil
	}
	var out []Object
	below := func(owner *unstructured.Unstructured) (out []Object) {
		for _, pod := range pods {
			if ownedBy(pod, owner) {
				out = append(out, s.assessPod(ctx, pod))
			}
		}
		return out
	}
	for _, set := range s.sets[o.GetNamespace()] {
		if own := below(set); ownedBy(set, o) && len(own) > 0 {
			have, want := explain.ReplicaCounts(set)
			item := Object{Ref: cluster.RefOf(set), State: Ready, Owned: own}
			if have < want {
				item.State, item.Why = Progressing, fmt.Sprintf("%d/%d", have, want)
			}
			out = append(out, item)
		}
	}
	return append(out, below(o)...)
}

func (s *snapshot) assessPod(ctx context.Context, pod *unstructured.Unstructured) Object {
	item := Object{Ref: cluster.RefOf(pod), State: Ready}
	if kube.PodReady(pod) {
		return item
	}
	item.State, item.Why = Progressing, explain.Pod(ctx, s.view, pod)
	if stuck(&unstructured.Unstructured{}, []*unstructured.Unstructured{pod}) {
		item.State = Failing
	}
	return item
}

func ownedBy(o, owner *unstructured.Unstructured) bool {
	for _, ref := range o.GetOwnerReferences() {
		if ref.UID == owner.GetUID() && ref.Name == owner.GetName() {
			return true
		}
	}
	return false
}
