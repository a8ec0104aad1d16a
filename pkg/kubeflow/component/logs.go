package component

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/explain"
)

// LogOptions say which logs to read.
type LogOptions struct {
	Lines int64 // of each container, at most
	All   bool  // of every pod, not only of those that matter
}

// A Log is the end of what one container logged.
type Log struct {
	Pod       cluster.Ref `json:"pod"`
	Container string      `json:"container"`
	Previous  bool        `json:"previous,omitempty"` // of the run before, which crashed
	Why       string      `json:"why,omitempty"`      // the pod is not ready
	Lines     []string    `json:"lines"`              // credentials in them are masked
	Error     string      `json:"error,omitempty"`    // why there are none
}

// Logs reads the logs of the pods that matter: those of workloads that are not ready, or if all are ready, the newest pod of each. Of a
// container that crashed, the run that crashed is read too.
func Logs(ctx context.Context, client *cluster.Client, name string, o LogOptions) ([]Log, error) {
	workloads, err := Workloads(ctx, client, name)
	if err != nil {
		return nil, err
	}
	view := client.View()
	var pods []*unstructured.Unstructured
	for _, w := range workloads {
		pods = append(pods, pick(explain.Pods(ctx, view, w), o.All)...)
	}
	if !o.All && slices.ContainsFunc(pods, notReady) {
		pods = slices.DeleteFunc(pods, func(p *unstructured.Unstructured) bool { return !notReady(p) })
	}
	var logs []Log
	for _, pod := range pods {
		logs = append(logs, logsOf(ctx, view, pod, o)...)
	}
	return logs, ctx.Err()
}

func notReady(pod *unstructured.Unstructured) bool { return !kube.PodReady(pod) }

// pick returns the pods of one workload that matter: those that are not ready, else the newest.
func pick(pods []*unstructured.Unstructured, all bool) []*unstructured.Unstructured {
	if all || len(pods) == 0 {
		return pods
	}
	var matter []*unstructured.Unstructured
	newest := pods[0]
	for _, p := range pods {
		if notReady(p) {
			matter = append(matter, p)
		}
		if p.GetCreationTimestamp().After(newest.GetCreationTimestamp().Time) {
			newest = p
		}
	}
	if len(matter) == 0 {
		return []*unstructured.Unstructured{newest}
	}
	return matter
}

// logsOf reads the logs of one pod: of the containers that are not ready, or of all.
func logsOf(ctx context.Context, view cluster.View, pod *unstructured.Unstructured, o LogOptions) []Log {
	containers := kube.Containers(pod)
	if !o.All && notReady(pod) && slices.ContainsFunc(containers, unfinished) {
		containers = slices.DeleteFunc(containers, func(c kube.Container) bool { return !unfinished(c) })
	}
	why := ""
	if problem := kube.WhyNotReady(pod); problem != nil {
		why = redact.Message(problem.String())
	}
	var logs []Log
	for _, c := range containers {
		if c.Init && c.Done() && !o.All {
			continue
		}
		if c.Restarts > 0 && c.Crashed() {
			logs = append(logs, read(ctx, view, pod, why, cluster.LogScope{Container: c.Name, Previous: true, Lines: o.Lines}))
		}
		if c.State != "waiting" {
			logs = append(logs, read(ctx, view, pod, why, cluster.LogScope{Container: c.Name, Lines: o.Lines}))
		}
	}
	if len(logs) == 0 { // none of its containers has run
		logs = append(logs, Log{Pod: cluster.RefOf(pod), Why: why, Lines: []string{}})
	}
	return logs
}

func unfinished(c kube.Container) bool { return !c.Ready && !c.Done() }

// widest is how much of one line is shown.
const widest = 4096

func read(ctx context.Context, view cluster.View, pod *unstructured.Unstructured, why string, of cluster.LogScope) Log {
	log := Log{Pod: cluster.RefOf(pod), Container: of.Container, Previous: of.Previous, Why: why, Lines: []string{}}
	text, err := view.Logs(ctx, log.Pod, of)
	if err != nil {
		log.Error = redact.Message(err.Error())
		return log
	}
	log.Lines = redact.Log(text, widest)
	return log
}
