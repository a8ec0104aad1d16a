package checks

import (
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var skew = &doctor.Check{
	ID:    "upgrades/skew",
	Title: "sidecars are of the version of their control plane",
	Why: "A pod keeps the sidecar that it was made with. After an upgrade of Istio the old ones go on for two minor versions at most; then they no longer understand what the control plane tells them, and " +
		"calls fail in ways that have no pattern.",
	Cure:    "--fix (with --allow-restart) restarts the workloads whose pods have an older sidecar.",
	Sources: []string{"https://istio.io/latest/docs/releases/supported-releases/"},
	Reads:   []schema.GroupKind{podKind, deploymentKind, statefulSetKind, daemonSetKind, replicaSetKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		planes, err := e.List(ctx, deploymentKind, cluster.Scope{Labels: "app=istiod"})
		if err != nil {
			return nil, err
		}
		var current []string
		for _, plane := range planes {
			if _, tag := imageTag(text(container(plane, "discovery"), "image")); tag != "" {
				current = append(current, tag)
			}
		}
		if len(current) == 0 {
			return nil, doctor.Skip("there is no istiod")
		}
		pods, err := e.List(ctx, podKind, cluster.Scope{Namespace: kubeflow})
		if err != nil {
			return nil, err
		}
		old, versions, owners := olderSidecars(pods, current)
		if len(old) == 0 {
			return nil, nil
		}
		in := cluster.Scope{Namespace: kubeflow}
		b := bare{}
		if b.workloads, err = workloads(ctx, e, in, owners); err != nil {
			return nil, err
		}
		f := doctor.Finding{
			Severity:    doctor.Warning,
			About:       doctor.Subject{Ref: cluster.RefOf(old[0]), Field: "spec.containers"},
			Message:     fmt.Sprintf("%s an older sidecar (%s) than Istio's control plane (%s): %s", some(len(old), "pod")+" "+have(len(old)), inCommon(versions), inCommon(current), names(old, (*unstructured.Unstructured).GetName)),
			Consequence: "They work for two minor versions; after that calls fail now and then.",
			Command:     "kubectl rollout restart -n " + kubeflow + " deployment,statefulset",
		}
		if len(b.workloads) > 0 {
			f.Fix = &doctor.Fix{Title: fmt.Sprintf("Restart %s with an older sidecar", some(len(b.workloads), "workload")), Impact: doctor.RestartsPods, Changes: b.restarts()}
		}
		return []doctor.Finding{f}, nil
	},
}

// olderSidecars returns the pods whose sidecar is of none of the control planes' versions, those versions, and what makes the pods.
func olderSidecars(pods []*unstructured.Unstructured, current []string) (old []*unstructured.Unstructured, versions []string, owners map[cluster.Ref]bool) {
	owners = map[cluster.Ref]bool{}
	for _, pod := range pods {
		for _, c := range append(items(pod.Object, "spec", "containers"), items(pod.Object, "spec", "initContainers")...) {
			_, tag := imageTag(text(c, "image"))
			if c["name"] != proxy || tag == "" || slices.Contains(current, tag) || !lives(pod) {
				continue
			}
			old, versions = append(old, pod), append(versions, tag)
			if owner := metav1.GetControllerOf(pod); owner != nil {
				owners[cluster.Ref{APIVersion: "apps", Kind: owner.Kind, Namespace: pod.GetNamespace(), Name: owner.Name}] = true
			}
		}
	}
	return old, versions, owners
}
