package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// An outcome says which conditions end an object's work, and which pods do it.
type outcome struct {
	good, bad []string // types of conditions that are True at the end
	pods      string   // a label selector
	container string   // whose log tells
}

// await follows an object until its work has ended. The object's own message, or that of a pod that does not start, is the failure.
func (t *T) await(ctx context.Context, made *unstructured.Unstructured, end outcome) (*unstructured.Unstructured, error) {
	ref := cluster.RefOf(made)
	watchers := map[string]*watcher{}
	defer func() {
		for _, w := range watchers {
			w.stop()
		}
	}()
	began := time.Now()
	var last *unstructured.Unstructured
	err := t.Poll(ctx, func(ctx context.Context) (bool, error) {
		now, err := t.Latest(ctx, ref)
		if err != nil || now == nil {
			return false, err
		}
		last = now
		if slices.ContainsFunc(end.good, func(kind string) bool { return isTrue(now, kind) != nil }) {
			return true, nil
		}
		for _, kind := range end.bad {
			if c := isTrue(now, kind); c != nil {
				return false, t.failedObject(ctx, ref, end, kind, kube.Text(c, "message"))
			}
		}
		if len(kube.Items(now.Object, "status", "conditions")) == 0 && time.Since(began) > 2*time.Second {
			t.Step("waiting for the controller of %s", ref.Kind)
		}
		if err := t.startsPods(ctx, end, watchers); err != nil {
			return false, err
		}
		if len(watchers) == 0 && time.Since(began) > 3*time.Second {
			return false, t.refusedPods(ctx, now)
		}
		return false, nil
	})
	if err == nil || last == nil {
		return last, err
	}
	if why := t.complaint(context.WithoutCancel(ctx), last); why != "" && ctx.Err() != nil {
		return last, &Failure{About: &ref, Message: why}
	}
	return last, err
}

// refusedPods returns why pods of an object cannot be created, as what its controller created for that says: a Job, a ReplicaSet, or
// the object itself. Their names begin with its name.
func (t *T) refusedPods(ctx context.Context, o *unstructured.Unstructured) error {
	since := o.GetCreationTimestamp().UTC().Format(time.RFC3339)
	events, err := t.latest(ctx, kube.EventKind, cluster.Scope{Namespace: o.GetNamespace(), Fields: "type=Warning"})
	if err != nil {
		return nil //nolint:nilerr // a tenant may not list them
	}
	for _, e := range events {
		about := kube.Map(e.Object, "involvedObject")
		name, reason := kube.Text(about, "name"), kube.Text(e.Object, "reason")
		if reason != "FailedCreate" && reason != "FailedCreatePod" || name != o.GetName() && !strings.HasPrefix(name, o.GetName()+"-") || kube.Text(e.Object, "lastTimestamp") < since {
			continue
		}
		ref := cluster.Ref{APIVersion: kube.Text(about, "apiVersion"), Kind: kube.Text(about, "kind"), Namespace: o.GetNamespace(), Name: name}
		return refusedPod(ref, redact.Message(kube.Text(e.Object, "message")))
	}
	return nil
}

func isTrue(o *unstructured.Unstructured, kind string) map[string]any {
	for _, c := range kube.Items(o.Object, "status", "conditions") {
		if kube.Text(c, "type") == kind && kube.Text(c, "status") == "True" {
			return c
		}
	}
	return nil
}

// startsPods returns the problem of a pod that persists.
func (t *T) startsPods(ctx context.Context, end outcome, watchers map[string]*watcher) error {
	pods, err := t.latest(ctx, podKind, cluster.Scope{Namespace: t.Namespace, Labels: end.pods})
	if err != nil {
		return err
	}
	for _, pod := range pods {
		if phase := kube.Text(pod.Object, "status", "phase"); phase == "Succeeded" || phase == "Failed" {
			continue
		}
		w := watchers[pod.GetName()]
		if w == nil {
			w = t.watch(pod.GetName())
			watchers[pod.GetName()] = w
		}
		if _, err := w.judge(ctx, pod); err != nil {
			return err
		}
	}
	return nil
}

func (t *T) failedObject(ctx context.Context, ref cluster.Ref, end outcome, kind, message string) error {
	f := &Failure{About: &ref, Message: fmt.Sprintf("%s: %s", kind, redact.Message(message))}
	pods, err := t.Client.View().List(ctx, podKind, cluster.Scope{Namespace: t.Namespace, Labels: end.pods})
	if err != nil {
		return f
	}
	for _, pod := range pods {
		if len(f.Logs) == 0 && kube.Text(pod.Object, "status", "phase") == "Failed" {
			f.Logs = t.logs(ctx, cluster.RefOf(pod), end.container)
		}
	}
	return f
}

// firstServed returns the first of these kinds that the cluster serves, the zero kind if it serves none.
func (s *Session) firstServed(ctx context.Context, kinds ...schema.GroupVersionKind) (schema.GroupVersionKind, error) {
	for _, kind := range kinds {
		served, err := s.View.Serves(ctx, kind)
		if err != nil || served {
			return kind, err
		}
	}
	return schema.GroupVersionKind{}, nil
}

// needs is the Applies of a test of these kinds.
func needs(what string, kinds ...schema.GroupVersionKind) func(context.Context, *Session) (string, error) {
	return func(ctx context.Context, s *Session) (string, error) {
		kind, err := s.firstServed(ctx, kinds...)
		if err != nil || !kind.Empty() {
			return "", err
		}
		return what + " is not installed", nil
	}
}

// alone is the metadata of pods without a sidecar, which would outlive their program.
func alone() map[string]any {
	off := map[string]any{"sidecar.istio.io/inject": "false"}
	return map[string]any{"labels": off, "annotations": off}
}

// program is the specification of a pod that runs a script and ends.
func program(name, image, script string) map[string]any {
	pod, container := restricted(1000)
	return map[string]any{"restartPolicy": "Never", "securityContext": pod, "containers": []any{map[string]any{
		"name": name, "image": image, "command": []any{"sh", "-c", script}, "resources": small("128Mi"), "securityContext": container,
	}}}
}
