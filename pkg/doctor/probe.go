package doctor

import (
	"context"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// Patience is how long an API server may take to honour a changed webhook: about a second is usual.
const Patience = 15 * time.Second

// Await asks the server to admit the probe's pod until the answer is as it should be: with the container, or without.
// When the server does not say, it waits for the usual time.
func Await(ctx context.Context, client *cluster.Client, t *Probe, with bool) {
	steady := 0
	_ = Until(ctx, Patience, func() (bool, error) { // in the end the next look at the cluster judges
		if injected(ctx, client, t) == with {
			steady++ // several API servers may stand behind one address: once is not enough
		} else {
			steady = 0
		}
		return steady == 3, nil
	})
}

// injected reports whether the server would add the container to a pod.
func injected(ctx context.Context, client *cluster.Client, t *Probe) bool {
	pod, err := client.Do(ctx, cluster.Change{Verb: cluster.Apply, After: t.pod()}, cluster.Options{Manager: Manager, DryRun: true})
	if apierrors.IsBadRequest(err) { // webhooks of old cannot take part in a dry run: the server refuses when it would have to call one
		return true
	}
	if err != nil {
		return false
	}
	for _, field := range []string{"containers", "initContainers"} {
		list, _, _ := unstructured.NestedSlice(pod.Object, "spec", field)
		if slices.ContainsFunc(list, func(item any) bool {
			container, _ := item.(map[string]any)
			return container["name"] == t.Container
		}) {
			return true
		}
	}
	return false
}

// pod is one that every Pod Security level admits. It is never kept.
func (t *Probe) pod() *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Pod",
		"metadata": map[string]any{"name": "kubectl-kubeflow-doctor-trial", "namespace": t.Namespace},
		"spec": map[string]any{
			"securityContext": map[string]any{"runAsNonRoot": true, "runAsUser": int64(65534), "seccompProfile": map[string]any{"type": "RuntimeDefault"}},
			"containers": []any{map[string]any{
				"name": "trial", "image": "registry.k8s.io/pause:3.10",
				"securityContext": map[string]any{"allowPrivilegeEscalation": false, "capabilities": map[string]any{"drop": []any{"ALL"}}},
			}},
		},
	}}
}

// Until asks again and again, a little less often each time.
func Until(ctx context.Context, wait time.Duration, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}
