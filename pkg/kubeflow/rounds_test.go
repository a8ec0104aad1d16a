package kubeflow_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/fixes"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/status"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// A distantView answers each question after a second, and asks none twice, as a live one. In a synctest bubble, the seconds that
// pass are the round trips that someone far from the server waits for.
type distantView struct {
	cluster.View
	mu      sync.Mutex
	answers map[string]chan struct{}
}

func (v *distantView) ask(format string, args ...any) {
	question := fmt.Sprintf(format, args...)
	v.mu.Lock()
	answered, asked := v.answers[question]
	if !asked {
		answered = make(chan struct{})
		v.answers[question] = answered
	}
	v.mu.Unlock()
	if asked {
		<-answered
		return
	}
	time.Sleep(time.Second)
	close(answered)
}

func (v *distantView) Get(ctx context.Context, ref cluster.Ref) (*unstructured.Unstructured, error) {
	v.ask("get %v", ref.Identity())
	return v.View.Get(ctx, ref)
}

func (v *distantView) List(ctx context.Context, kind schema.GroupKind, in cluster.Scope) ([]*unstructured.Unstructured, error) {
	v.ask("list %v %+v", kind, in)
	return v.View.List(ctx, kind, in)
}

func (v *distantView) Version(ctx context.Context) (*version.Info, error) {
	v.ask("version")
	return v.View.Version(ctx)
}

func (v *distantView) Now(ctx context.Context) (time.Time, error) {
	v.ask("version")
	return v.View.Now(ctx)
}

func (v *distantView) Logs(ctx context.Context, pod cluster.Ref, of cluster.LogScope) (string, error) {
	v.ask("logs %v %v", pod, of)
	return v.View.Logs(ctx, pod, of)
}

func (v *distantView) Raw(ctx context.Context, path string) ([]byte, error) {
	v.ask("raw %s", path)
	return v.View.Raw(ctx, path)
}

// TestCommandsWaitForFewRoundTrips counts requests and those that wait for one another, on an installed release. What the server has
// (discovery) takes up to two more, once.
func TestCommandsWaitForFewRoundTrips(t *testing.T) {
	rendered, err := release.Render(t.Context(), release.Input{Release: "26.03"}, release.RenderOptions{Mirror: kubetest.Mirror(t), SkipVerify: true, CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	objects := running(t, rendered.Objects())
	for _, command := range []struct {
		name             string
		rounds, requests int
		run              func(context.Context, cluster.View) error
	}{
		// A list for each kind that has references or conditions, and for what is in Kubeflow's namespaces one for each.
		{"the checks of doctor", 7, 183, func(ctx context.Context, v cluster.View) error {
			dashboard.Ahead(ctx, v)
			doctor.Diagnose(ctx, v, checks.All(), doctor.Options{})
			return nil
		}},
		{"expose without a flag", 7, 45, func(ctx context.Context, v cluster.View) error {
			_, err := expose.Read(ctx, v)
			return err
		}},
		{"looking for what is installed", 3, 5, func(ctx context.Context, v cluster.View) error {
			_, err := inventory.Read(ctx, v)
			return err
		}},
		{"detecting an installation, and its status", 4, 40, func(ctx context.Context, v cluster.View) error {
			found, err := status.Detect(ctx, v)
			if err != nil {
				return err
			}
			_, err = status.Read(ctx, v, found, status.Options{})
			return err
		}},
		{"the last fix", 3, 6, func(ctx context.Context, v cluster.View) error {
			_, err := fixes.ReadHistory(ctx, v)
			return err
		}},
	} {
		t.Run(command.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				memory := cluster.Memory{Version: &version.Info{Major: "1", Minor: "35", GitVersion: "v1.35.4"}, Now: time.Now()}
				view := &distantView{View: cluster.Saved("the test", memory, objects...), answers: map[string]chan struct{}{}}
				began := time.Now()
				if err := command.run(t.Context(), view); err != nil {
					t.Fatal(err)
				}
				rounds, requests := int(time.Since(began)/time.Second), len(view.answers)
				t.Logf("%d round trips, %d requests", rounds, requests)
				if rounds > command.rounds || requests > command.requests {
					t.Errorf("%d round trips and %d requests; at most %d and %d: ask ahead (cluster.Ahead) what does not depend on other answers\n%q",
						rounds, requests, command.rounds, command.requests, slices.Sorted(maps.Keys(view.answers)))
				}
			})
		})
	}
}
