package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// persistence is how long a pod's problem may last before it is believed: an image pull is tried again, and autoscaling adds nodes.
var persistence = map[kube.PodState]time.Duration{kube.Crashed: 0, kube.Waiting: 15 * time.Second, kube.Unschedulable: 5 * time.Minute}

// A watcher follows one pod of a test.
type watcher struct {
	t       *T
	ref     cluster.Ref
	since   time.Time // of the problem
	problem string
	release func() // ends the time that counts as pulling
	quiet   bool   // something else says what happens
}

func (t *T) watch(name string) *watcher {
	return &watcher{t: t, ref: cluster.Ref{APIVersion: "v1", Kind: "Pod", Namespace: t.Namespace, Name: name}}
}

// look reads the pod; nil without an error if it does not exist yet. A problem that persists is the error.
func (w *watcher) look(ctx context.Context) (*unstructured.Unstructured, error) {
	pod, err := w.t.Latest(ctx, w.ref)
	if err != nil {
		return nil, err
	}
	if pod == nil {
		w.t.Step("waiting for pod %s", w.ref.Name)
		return nil, nil
	}
	return w.judge(ctx, pod)
}

// judge returns the problem of a pod that persists.
func (w *watcher) judge(ctx context.Context, pod *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	problem := kube.WhyNotReady(pod)
	w.pulling(ctx, pod, problem)
	if problem == nil {
		return pod, nil
	}
	if !w.quiet {
		w.t.Step("%s", problem)
	}
	what, patience := string(problem.State), persistence[problem.State]
	unmounted := ""
	if problem.State == kube.Starting && w.release == nil {
		if unmounted = w.unmounted(ctx, pod); unmounted != "" {
			what, patience = "unmounted", unmountedPatience
		}
	}
	if !problem.Persists() && unmounted == "" {
		w.problem = ""
		return pod, nil
	}
	if what != w.problem {
		w.problem, w.since = what, time.Now()
	}
	switch {
	case time.Since(w.since) < patience:
		return pod, nil
	case unmounted != "":
		return pod, &Failure{About: &w.ref, Message: "it cannot start: " + unmounted, Next: cmpOr(podDefaultAdvice(pod), "kubectl kubeflow doctor pipelines notebooks storage")}
	}
	return pod, w.failure(ctx, problem)
}

// podDefaultAdvice names the PodDefaults that were applied to a pod, which may add what does not exist, "" if there are none.
func podDefaultAdvice(pod *unstructured.Unstructured) string {
	var names []string
	for key := range pod.GetAnnotations() {
		if name, ok := strings.CutPrefix(key, "poddefault.admission.kubeflow.org/poddefault-"); ok {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	return fmt.Sprintf("Correct what was added to the pod by PodDefault %s: %s", text.And(names...), escape.Commandf("kubectl describe poddefaults -n %s", pod.GetNamespace()))
}

// refusedPod says that what should create a pod may not.
func refusedPod(ref cluster.Ref, why string) *Failure {
	return &Failure{About: &ref, Message: "its pod was refused: " + why,
		Next: cmpOr(quotaAdvice(why, ref.Namespace), "Find what refuses it: kubectl kubeflow doctor notebooks tenancy platform")}
}

// unmountedPatience is how long a volume may fail to mount: a disk is detached from another node first, and a Secret may follow its pod.
const unmountedPatience = 20 * time.Second

// unmounted returns why a volume of a pod cannot be mounted, as its last warning says.
func (w *watcher) unmounted(ctx context.Context, pod *unstructured.Unstructured) string {
	latest, message := "", ""
	for _, e := range w.t.events(ctx, pod) {
		if at := kube.Text(e.Object, "lastTimestamp"); kube.Text(e.Object, "type") == "Warning" && at >= latest {
			latest, message = at, kube.Text(e.Object, "reason")+"\n"+kube.Text(e.Object, "message")
		}
	}
	reason, text, _ := strings.Cut(message, "\n")
	if reason != "FailedMount" && reason != "FailedAttachVolume" {
		return ""
	}
	return redact.Message(text)
}

// pulling holds the test's clock while an image is pulled.
func (w *watcher) pulling(ctx context.Context, pod *unstructured.Unstructured, problem *kube.PodProblem) {
	if problem != nil && problem.State == kube.Starting && w.pulls(ctx, pod) {
		if w.release == nil {
			w.release = w.t.clock.hold()
		}
		w.t.Step("pulling image %s", problem.Container.Image)
		return
	}
	w.stop()
}

func (w *watcher) stop() {
	if w.release != nil {
		w.release()
		w.release = nil
	}
}

// pulls reports whether the last event about an image says that it is being pulled.
func (w *watcher) pulls(ctx context.Context, pod *unstructured.Unstructured) bool {
	count := map[string]int{}
	for _, e := range w.t.events(ctx, pod) {
		count[kube.Text(e.Object, "reason")]++
	}
	return count["Pulling"] > count["Pulled"]
}

// failure describes a pod that does not become ready, with its log.
func (w *watcher) failure(ctx context.Context, problem *kube.PodProblem) *Failure {
	f := &Failure{About: &w.ref, Message: problem.String()}
	switch c := problem.Container; {
	case c.ImagePullFailed():
		f.Message = fmt.Sprintf("image %s cannot be pulled: %s", c.Image, cmpOr(c.Message, c.Reason))
		f.Next = "Use another image with --image " + c.Image + "=IMAGE, or give the nodes access to the registry"
	case problem.State == kube.Crashed:
		f.Logs = w.t.logs(ctx, w.ref, c.Name)
		f.Next = "Read the log above; the image may not fit this cluster: --image " + c.Image + "=IMAGE"
	case problem.State == kube.Unschedulable:
		f.Next = "Add nodes or free resources: kubectl kubeflow doctor nodes"
	}
	return f
}

// logs returns the last lines of a container's log, or of the one that ran before.
func (t *T) logs(ctx context.Context, pod cluster.Ref, container string) []string {
	const most, widest = 10, 400
	for _, previous := range []bool{false, true} {
		text, err := t.Client.View().Logs(ctx, pod, cluster.LogScope{Container: container, Previous: previous, Lines: most})
		if text = strings.TrimSpace(text); err == nil && text != "" {
			lines := redact.Log(text, widest)
			return lines[max(0, len(lines)-most):]
		}
	}
	return nil
}

// events returns the events about an object, the oldest first.
func (t *T) events(ctx context.Context, o *unstructured.Unstructured) []*unstructured.Unstructured {
	list, err := t.latest(ctx, kube.EventKind, cluster.Scope{Namespace: o.GetNamespace(), Fields: "involvedObject.uid=" + string(o.GetUID())})
	if err != nil {
		return nil
	}
	return list
}

// complaint returns the last warning about an object, "" if there is none.
func (t *T) complaint(ctx context.Context, o *unstructured.Unstructured) string {
	latest, message := "", ""
	for _, e := range t.events(ctx, o) {
		if at := kube.Text(e.Object, "lastTimestamp"); kube.Text(e.Object, "type") == "Warning" && at >= latest {
			latest, message = at, kube.Text(e.Object, "message")
		}
	}
	return redact.Message(message)
}

// restricted returns a security context that every Pod Security level admits.
func restricted(user int64) (pod, container map[string]any) {
	return map[string]any{"runAsNonRoot": true, "runAsUser": user, "fsGroup": user, "seccompProfile": map[string]any{"type": "RuntimeDefault"}},
		map[string]any{"allowPrivilegeEscalation": false, "capabilities": map[string]any{"drop": []any{"ALL"}}}
}

// small are resources that satisfy quotas which demand requests and limits.
func small(memory string) map[string]any {
	return map[string]any{
		"requests": map[string]any{"cpu": "100m", "memory": memory},
		"limits":   map[string]any{"cpu": "1", "memory": memory},
	}
}
