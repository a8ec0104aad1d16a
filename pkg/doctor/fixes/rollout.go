package fixes

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// rollOut waits until workloads run with new pods. Those whose new pods cannot start, or that do not come to rest in time,
// are named; the next look judges them.
func rollOut(ctx context.Context, client *cluster.Client, workloads []cluster.Ref, wait time.Duration, say func(string)) error {
	if len(workloads) == 0 {
		return nil
	}
	say(fmt.Sprintf("waiting for %s to run with new pods", text.Plural(len(workloads), "workload")))
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
				given[ref] = true
				say(fmt.Sprintf("%s does not start: %s", ref, stuck))
				continue
			}
			pending[ref] = why
		}
		return len(pending) == 0, nil
	})
	if err == nil || ctx.Err() != nil {
		return err
	}
	for _, ref := range workloads {
		if why := pending[ref]; why != "" {
			say(fmt.Sprintf("not ready yet: %s (%s)", ref, why))
		}
	}
	return nil
}

// stuck says why the newest pods of a Deployment cannot start, "" when they may well.
func stuck(ctx context.Context, view cluster.View, deployment *unstructured.Unstructured) string {
	seen, _, _ := unstructured.NestedInt64(deployment.Object, "status", "observedGeneration")
	if deployment.GetKind() != "Deployment" || seen < deployment.GetGeneration() { // until its controller has seen the change, the newest pods are the old ones
		return ""
	}
	in := cluster.Scope{Namespace: deployment.GetNamespace()}
	sets, err := view.List(ctx, kube.ReplicaSetKind, cluster.Scope{Namespace: in.Namespace, Metadata: true})
	if err != nil {
		return ""
	}
	const revision = "deployment.kubernetes.io/revision"
	newest := map[string]bool{}
	for _, s := range sets {
		owner := metav1.GetControllerOf(s)
		if owner != nil && owner.UID == deployment.GetUID() && s.GetAnnotations()[revision] == deployment.GetAnnotations()[revision] {
			newest[s.GetName()] = true
		}
	}
	pods, err := view.List(ctx, kube.PodKind, in)
	if err != nil {
		return ""
	}
	for _, p := range pods {
		if owner := metav1.GetControllerOf(p); owner == nil || !newest[owner.Name] || p.GetDeletionTimestamp() != nil {
			continue
		}
		if problem := kube.WhyNotReady(p); problem != nil && problem.Container.Blocked() {
			return fmt.Sprintf("pod %s: %s", p.GetName(), problem)
		}
	}
	return ""
}
