//go:build unix

package kubeflow_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/fixes"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/lock"
)

// Whoever holds the Lease, every command that writes leaves the cluster alone meanwhile and names the holder.
func TestEveryWriterRespectsTheLease(t *testing.T) {
	client := connect(t)
	apply(t, prepare(t, client, "", ""))
	limited := kubeflow.ExposeOptions{Options: expose.Options{SourceRanges: &[]string{"203.0.113.7/32"}}}
	address, err := kubeflow.PrepareExpose(t.Context(), client, limited)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := address.Apply(t.Context(), kubeflow.ExposeApplyOptions{NoWait: true}); err != nil {
		t.Fatal(err)
	}
	const settings = "workflow-controller-configmap"
	broken := strings.ReplaceAll(kubectl(t, "", "get", "configmap", "-n=kubeflow", settings, "-o=yaml"), "containerRuntimeExecutor: pns", "containerRuntimeExecutor: docker")
	kubectl(t, broken, "replace", "-f", "-")
	executor, err := checks.Find("pipelines/executor")
	if err != nil {
		t.Fatal(err)
	}
	fix := func() error {
		_, err := kubeflow.Fix(t.Context(), client, kubeflow.Options{Checks: executor, Options: fixes.Options{Allow: []doctor.Impact{doctor.RestartsPods}, Wait: time.Second}})
		return err
	}
	removal, err := kubeflow.PrepareUnexpose(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	other, err := kubeflow.PrepareExpose(t.Context(), client, kubeflow.ExposeOptions{Options: expose.Options{SourceRanges: &[]string{"203.0.113.8/32"}}})
	if err != nil {
		t.Fatal(err)
	}

	_, release, err := lock.Acquire(t.Context(), client, "testing", nil)
	if err != nil {
		t.Fatal(err)
	}
	before := revisions(t)
	for name, write := range map[string]func() error{
		"doctor --fix": fix,
		"doctor --undo": func() error {
			step := &fixes.Step{Verb: cluster.Apply, State: fixes.StepMade, Created: true, About: cluster.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: "kubeflow", Name: settings}}
			_, err := fixes.Undo(t.Context(), client, checks.All(), fixes.Run{Name: "a", Steps: []*fixes.Step{step}}, fixes.UndoOptions{Wait: time.Second, Now: time.Now})
			return err
		},
		"expose": func() error {
			_, err := other.Apply(t.Context(), kubeflow.ExposeApplyOptions{NoWait: true})
			return err
		},
		"expose --remove": func() error { return removal.Apply(t.Context(), kubeflow.UnexposeApplyOptions{}) },
	} {
		var held *lock.HeldError
		if err := write(); !errors.As(err, &held) || held.By.Doing != "testing" {
			t.Errorf("%s ends with %v, want the holder of the Lease named", name, err)
		}
	}
	if diff := cmp.Diff(before, revisions(t)); diff != "" {
		t.Errorf("the cluster was changed (-before +after):\n%s", diff)
	}
	release()
	if err := fix(); err != nil {
		t.Errorf("doctor --fix with a free Lease: %v", err)
	}
	if err := removal.Apply(t.Context(), kubeflow.UnexposeApplyOptions{Timeout: time.Minute}); err != nil {
		t.Errorf("expose --remove with a free Lease: %v", err)
	}
}

// revisions identifies the state of what these commands write.
func revisions(t *testing.T) []string {
	t.Helper()
	return strings.Split(kubectl(t, "", "get", "services,configmaps,networkpolicies,deployments", "-A", "-l", "!kubernetes.io/created-by", `-o=jsonpath={range .items[*]}{.kind}/{.metadata.namespace}/{.metadata.name}@{.metadata.generation}{.metadata.labels}{.data}{.spec}{"\n"}{end}`), "\n")
}
