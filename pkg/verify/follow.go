package verify

import (
	"context"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/verify/kfp"
)

var podKind = schema.GroupKind{Kind: "Pod"}

// runLabelOfPipelines is on the pods of a run.
const runLabelOfPipelines = "pipeline/runid"

// follow waits until a run has ended. It returns what is known of the run, also after a failure.
func (t *T) follow(ctx context.Context, client *kfp.Client, id string) (*kfp.Run, error) {
	var run *kfp.Run
	watchers := map[string]*watcher{}
	defer func() {
		for _, w := range watchers {
			w.stop()
		}
	}()
	err := t.Poll(ctx, func(ctx context.Context) (bool, error) {
		now, err := client.Run(ctx, id)
		if err != nil {
			return false, err
		}
		run = now
		switch {
		case run.State.Bad():
			return false, t.failedRun(ctx, run)
		case run.State.Over():
			return true, nil
		}
		t.Step("%s", progressOf(run))
		return false, t.lookAtPods(ctx, id, watchers)
	})
	return run, err
}

// progressOf says in a line how far a run is.
func progressOf(run *kfp.Run) string {
	var running []string
	done := 0
	for _, s := range run.Steps {
		switch {
		case s.State.Over():
			done++
		case len(s.After) == 0 || s.Kind == "Pod":
			state := s.Name + " " + s.State.Word()
			if s.Message != "" {
				state += " (" + redact.Message(s.Message) + ")"
			}
			running = append(running, state)
		}
	}
	if len(run.Steps) == 0 {
		return "waiting for the workflow controller to start the run"
	}
	return fmt.Sprintf("%d of %d steps ended: %s", done, len(run.Steps), strings.Join(running, ", "))
}

// lookAtPods returns the problem of a run's pod that persists.
func (t *T) lookAtPods(ctx context.Context, run string, watchers map[string]*watcher) error {
	pods, err := t.latest(ctx, podKind, cluster.Scope{Namespace: t.Namespace, Labels: runLabelOfPipelines + "=" + run})
	if err != nil {
		return nil //nolint:nilerr // a tenant may not list them: the run tells
	}
	for _, pod := range pods {
		if phase := kube.Text(pod.Object, "status", "phase"); phase == "Succeeded" || phase == "Failed" {
			continue
		}
		name := pod.GetName()
		if watchers[name] == nil {
			watchers[name] = t.watch(name)
			watchers[name].quiet = true
		}
		if _, err := watchers[name].judge(ctx, pod); err != nil {
			return err
		}
	}
	return nil
}

// failedRun describes a failed run by the step that failed first, with its log.
func (t *T) failedRun(ctx context.Context, run *kfp.Run) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	f := &Failure{Message: "the run " + run.State.Word() + ": " + redact.Message(cmpOr(run.Message, "no step says why")), Next: "kubectl kubeflow doctor pipelines tenancy"}
	step := run.Culprit()
	if step == nil {
		return f
	}
	if advice := quotaAdvice(step.Message, t.Namespace); advice != "" {
		f.Next = advice
	}
	f.Message = fmt.Sprintf("step %s %s: %s", step.Name, step.State.Word(), redact.Message(cmpOr(step.Message, run.Message)))
	pods, err := t.Client.View().List(ctx, podKind, cluster.Scope{Namespace: t.Namespace, Labels: runLabelOfPipelines + "=" + run.ID})
	if err != nil {
		return f
	}
	for _, pod := range pods {
		if pod.GetName() != step.Node && kube.Text(pod.Object, "status", "phase") != "Failed" {
			continue
		}
		ref := cluster.RefOf(pod)
		f.About = &ref
		for _, container := range []string{"main", "wait"} {
			if len(f.Logs) == 0 {
				f.Logs = t.logs(ctx, ref, container)
			}
		}
	}
	return f
}

// removeExperiment deletes the runs of an experiment, with their Workflows, and the experiment.
func removeExperiment(ctx context.Context, client *kfp.Client, id string) error {
	runs, err := client.Runs(ctx, "", id)
	if err != nil {
		return err
	}
	for _, run := range runs {
		if err := client.DeleteRun(ctx, run.ID); err != nil {
			return err
		}
	}
	return client.DeleteExperiment(ctx, id)
}
