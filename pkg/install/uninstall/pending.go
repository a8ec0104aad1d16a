package uninstall

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/apply"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// pendingReason is why a deleted object still exists. stuck: nothing known will change that.
type pendingReason struct {
	why   string
	stuck bool
}

// builtInFinalizers are the finalizers that Kubernetes itself removes.
var builtInFinalizers = map[string]string{
	"foregroundDeletion":                          "its dependents are still being deleted",
	"orphan":                                      "its dependents are still being orphaned",
	"kubernetes.io/pvc-protection":                "a pod still uses it",
	"kubernetes.io/pv-protection":                 "a PVC still uses it",
	"customresourcecleanup.apiextensions.k8s.io":  "its objects are still being deleted",
	"service.kubernetes.io/load-balancer-cleanup": "the cloud provider is still deleting its load balancer",
}

// whyPending explains why a deleted object still exists.
func whyPending(o *unstructured.Unstructured) pendingReason {
	if kind := o.GroupVersionKind().GroupKind(); kind == kube.NamespaceKind {
		return whyNamespacePending(o)
	}
	for _, finalizer := range o.GetFinalizers() {
		if why, own := builtInFinalizers[finalizer]; own {
			return pendingReason{why: why}
		}
	}
	if finalizers := o.GetFinalizers(); len(finalizers) > 0 {
		return pendingReason{why: fmt.Sprintf("its finalizer was not removed: %s", strings.Join(finalizers, ", ")), stuck: true}
	}
	return pendingReason{why: "it is still being deleted"}
}

// namespaceConditions are the conditions of a namespace that is being deleted, most severe first.
var namespaceConditions = []string{
	"NamespaceDeletionDiscoveryFailure", "NamespaceDeletionGroupVersionParsingFailure", "NamespaceDeletionContentFailure",
	"NamespaceFinalizersRemaining", "NamespaceContentRemaining",
}

func whyNamespacePending(o *unstructured.Unstructured) pendingReason {
	for _, trouble := range namespaceConditions {
		if c := kube.Condition(o, trouble); c != nil && c.Status == metav1.ConditionTrue {
			return pendingReason{why: c.Message, stuck: trouble != "NamespaceContentRemaining"}
		}
	}
	if finalizers := o.GetFinalizers(); len(finalizers) > 0 {
		return pendingReason{why: fmt.Sprintf("its finalizer was not removed: %s", strings.Join(finalizers, ", ")), stuck: true}
	}
	return pendingReason{why: "its objects are still being deleted"}
}

// UnfinishedError is returned when objects were not deleted in time, or cannot be deleted at all (Stalled).
type UnfinishedError struct {
	Pending []apply.Pending
	Next    []string // commands for the user
	Stalled bool
}

func (u *UnfinishedError) Error() string {
	how := "not everything was deleted in time"
	if u.Stalled {
		how = "the remaining objects cannot be deleted"
	}
	return fmt.Sprintf("%s: %d remaining", how, len(u.Pending)) + apply.ListPending(u.Pending)
}

// Unwrap makes it a timeout: exit code 4.
func (u *UnfinishedError) Unwrap() error { return context.DeadlineExceeded }

// explain says what remains, why, and what the user can do about it. It reads the cluster once more.
func (w *deletion) explain(ctx context.Context, stalled bool) error {
	u := &UnfinishedError{Stalled: stalled}
	for ref, l := range w.pending {
		u.Pending = append(u.Pending, apply.Pending{Ref: ref, Why: cmp.Or(l.why, "it is still being deleted")})
	}
	slices.SortFunc(u.Pending, func(a, b apply.Pending) int { return cmp.Compare(a.Ref.String(), b.Ref.String()) })
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	survey, err := ReadCluster(ctx, w.client)
	if err == nil {
		u.Next = nextCommands(u.Pending, survey)
	}
	return u
}

// nextCommands returns the commands that unblock stuck objects. The user has to decide: a finalizer stands for work that would
// then never be done.
func nextCommands(pending []apply.Pending, survey *Snapshot) []string {
	var next []string
	add := func(line string) {
		if !slices.Contains(next, line) {
			next = append(next, line)
		}
	}
	for _, p := range pending {
		if p.Ref.GroupKind() == kube.NamespaceKind {
			for _, name := range survey.UnavailableAPIs() {
				add("kubectl delete apiservice " + escape.Word(name))
			}
			for _, o := range survey.stuckIn(p.Ref.Name) {
				add(removeFinalizersCommand(o))
			}
		}
		if made, known := survey.definition(p.Ref.Name); known && p.Ref.GroupKind() == kube.CustomResourceDefinitionKind {
			for _, o := range survey.objects[made.GroupKind] {
				if whyPending(o).stuck {
					add(removeFinalizersCommand(o))
				}
			}
		}
		if o := survey.find(p.Ref); o != nil && whyPending(o).stuck && len(o.GetFinalizers()) > 0 {
			add(removeFinalizersCommand(o))
		}
	}
	if more := len(next) - plan.MaxListed; more > 0 {
		next = append(next[:plan.MaxListed], fmt.Sprintf("and the same for %d more", more))
	}
	return next
}

// stuckIn returns the objects in a namespace that wait for a finalizer that is not Kubernetes' own.
func (s *Snapshot) stuckIn(namespace string) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, kind := range s.kinds {
		for _, o := range s.objects[kind.GroupKind] {
			if o.GetNamespace() == namespace && o.GetDeletionTimestamp() != nil && whyPending(o).stuck {
				out = append(out, o)
			}
		}
	}
	return out
}

// removeFinalizersCommand returns the command that removes an object's finalizers.
func removeFinalizersCommand(o *unstructured.Unstructured) string {
	return fmt.Sprintf(`kubectl patch %s --type=merge -p '{"metadata":{"finalizers":null}}'`, plan.KubectlArgs(cluster.RefOf(o)))
}
