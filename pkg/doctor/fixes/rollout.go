package fixes

import (
	"cmp"
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// RollOut waits until workloads run with new pods, saying what each waits for, and returns those that do not, with the reason.
func RollOut(ctx context.Context, client *cluster.Client, workloads []cluster.Ref, wait time.Duration, say func(string)) (notReady map[cluster.Ref]string, err error) {
	notReady = map[cluster.Ref]string{}
	err = watchRollOut(ctx, client, workloads, wait, say, notReady)
	return notReady, err
}

// rollOut waits until workloads run with new pods. Those whose new pods cannot start, or that do not come to rest in time,
// are named; the next look judges them.
func rollOut(ctx context.Context, client *cluster.Client, workloads []cluster.Ref, wait time.Duration, say func(string)) error {
	return watchRollOut(ctx, client, workloads, wait, say, map[cluster.Ref]string{})
}

// watchRollOut is rollOut that tells which workloads are not ready.
func watchRollOut(ctx context.Context, client *cluster.Client, workloads []cluster.Ref, wait time.Duration, say func(string), notReady map[cluster.Ref]string) error {
	if len(workloads) == 0 {
		return nil
	}
	say(fmt.Sprintf("waiting for %s to run with new pods", text.Plural(len(workloads), "workload")))
	told := map[cluster.Ref]string{}
	pending := map[cluster.Ref]string{}
	given := map[cluster.Ref]bool{}
	err := doctor.Until(ctx, wait, func() (bool, error) {
		view := client.View()
		clear(pending)
		for _, ref := range workloads {
			o, err := view.Get(ctx, ref)
			if err != nil || given[ref] {
				continue
			}
			ready, why := cluster.Ready(o)
			if ready {
				continue
			}
			if stuck := stuck(ctx, view, o); stuck != "" {
				given[ref], notReady[ref] = true, stuck
				say(fmt.Sprintf("%s does not start: %s", ref, stuck))
				continue
			}
			pending[ref] = cmp.Or(waitsFor(ctx, view, o), why)
			if told[ref] != pending[ref] {
				told[ref] = pending[ref]
				say(fmt.Sprintf("%s: %s", ref, pending[ref]))
			}
		}
		return len(pending) == 0, nil
	})
	if err == nil || ctx.Err() != nil {
		return err
	}
	for _, ref := range workloads {
		if why := pending[ref]; why != "" {
			notReady[ref] = why
			say(fmt.Sprintf("not ready yet: %s (%s)", ref, why))
		}
	}
	return nil
}

// stuck says why the newest pods of a Deployment cannot start, "" when they may well.
func stuck(ctx context.Context, view cluster.View, deployment *unstructured.Unstructured) string {
	if deployment.GetKind() != "Deployment" {
		return ""
	}
	for _, p := range newestPods(ctx, view, deployment) {
		if problem := kube.WhyNotReady(p); problem != nil && problem.Container.Blocked() {
			return fmt.Sprintf("pod %s: %s", p.GetName(), problem)
		}
	}
	return ""
}

// waitsFor says what the first of a workload's newest pods that is not ready waits for, "" if none tells.
func waitsFor(ctx context.Context, view cluster.View, workload *unstructured.Unstructured) string {
	for _, p := range newestPods(ctx, view, workload) {
		if problem := kube.WhyNotReady(p); problem != nil {
			return problem.String()
		}
	}
	return ""
}

// newestPods returns the pods of a workload's newest template; of other workloads than Deployments, all pods.
func newestPods(ctx context.Context, view cluster.View, workload *unstructured.Unstructured) []*unstructured.Unstructured {
	seen, _, _ := unstructured.NestedInt64(workload.Object, "status", "observedGeneration")
	if seen < workload.GetGeneration() { // until its controller has seen the change, the newest pods are the old ones
		return nil
	}
	in := cluster.Scope{Namespace: workload.GetNamespace()}
	newest := map[types.UID]bool{workload.GetUID(): true}
	if workload.GetKind() == "Deployment" {
		sets, err := view.List(ctx, kube.ReplicaSetKind, cluster.Scope{Namespace: in.Namespace, Metadata: true})
		if err != nil {
			return nil
		}
		const revision = "deployment.kubernetes.io/revision"
		clear(newest)
		for _, s := range sets {
			owner := metav1.GetControllerOf(s)
			if owner != nil && owner.UID == workload.GetUID() && s.GetAnnotations()[revision] == workload.GetAnnotations()[revision] {
				newest[s.GetUID()] = true
			}
		}
	}
	pods, err := view.List(ctx, kube.PodKind, in)
	if err != nil {
		return nil
	}
	var found []*unstructured.Unstructured
	for _, p := range pods {
		if owner := metav1.GetControllerOf(p); owner != nil && newest[owner.UID] && p.GetDeletionTimestamp() == nil {
			found = append(found, p)
		}
	}
	return found
}
