package checks

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/bundle"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/fixes"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/state"
)

// A planter plants secrets in objects.
type planter struct{ *kubetest.Planter }

func newPlanter() *planter { return &planter{kubetest.NewPlanter()} }

// report fails the test if a planted secret can be read.
func (p *planter) report(t *testing.T, where, text string) {
	t.Helper()
	found := p.Readable(text)
	t.Logf("%s: %d of %d planted secrets of %d shapes are readable (%d kB)", where, len(found), p.Planted(), len(kubetest.SecretShapes), len(text)/1024)
	for i, s := range found {
		if i == 40 {
			t.Errorf("and %d more", len(found)-i)
			break
		}
		t.Errorf("%s: %s", where, s)
	}
}

func TestPlantedSecretsAreNotInABundle(t *testing.T) {
	ctx := context.Background()
	p := newPlanter()
	objects := plantedObjects(p)
	logs := map[cluster.Ref]map[cluster.LogScope]string{}
	var lines []string
	for _, s := range kubetest.SecretShapes {
		lines = append(lines, "2026-03-01T12:00:00Z ERROR "+p.Plant(s, "log"), p.Plant(s, "log"), `{"level":"error","msg":"`+strings.ReplaceAll(p.Plant(s, "JSON log"), "\n", `\n`)+`"}`)
	}
	pod := cluster.Ref{APIVersion: "v1", Kind: "Pod", Namespace: "kubeflow", Name: "planted"}
	of := cluster.LogScope{Container: "main", Lines: cluster.LogLines}
	logs[pod.Identity()] = map[cluster.LogScope]string{of: strings.Join(lines, "\n")}
	view := failingOnce{cluster.Saved("the test", cluster.Memory{Now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Logs: logs, Raw: map[string][]byte{
		"/.well-known/openid-configuration": []byte(`{"issuer":"https://u:` + p.Next("issuer") + `@h/","x":"` + p.Plant(kubetest.SecretShapes[0], "raw") + `"}`),
	}}, objects...), apierrors.NewInternalError(errors.New("invalid value: \"" + p.Plant(kubetest.SecretShapes[0], "error") + "\""))}
	recorder := bundle.Record(view)
	_, _ = recorder.Now(ctx)
	seen := map[schema.GroupKind]bool{}
	for _, o := range objects {
		if kind := o.GroupVersionKind().GroupKind(); !seen[kind] {
			seen[kind] = true
			_, _ = recorder.List(ctx, kind, cluster.Scope{})
		}
	}
	_, _ = recorder.Logs(ctx, pod, of)
	_, _ = recorder.Raw(ctx, "/.well-known/openid-configuration")
	_, _ = recorder.Raw(ctx, "/fails")
	var out bytes.Buffer
	head := bundle.Head{Context: p.Plant(kubetest.SecretShapes[0], "context"), Server: "https://u:" + p.Plant(kubetest.SecretShapes[0], "server") + "@h:443"}
	if _, err := recorder.Write(&out, head, bundle.Options{Shipped: Public, Keep: Kept, Report: func(v cluster.View) any {
		return doctor.Diagnose(ctx, v, All(), doctor.Options{})
	}}); err != nil {
		t.Fatal(err)
	}
	zipped, err := gzip.NewReader(&out)
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(zipped)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d objects of %d kinds", len(objects), len(seen))
	p.report(t, "bundle", string(all))
}

// failingOnce is a View that fails at one path.
type failingOnce struct {
	cluster.View
	err error
}

func (v failingOnce) Raw(ctx context.Context, path string) ([]byte, error) {
	if path == "/fails" {
		return nil, v.err
	}
	return v.View.Raw(ctx, path)
}

func TestPlantedSecretsAreNotInADiff(t *testing.T) {
	p := newPlanter()
	before, after := plantedObjects(p), plantedObjects(p)
	var text strings.Builder
	for i, o := range before {
		for _, pair := range [][2]*unstructured.Unstructured{{o, after[i]}, {nil, o}, {o, nil}} {
			text.WriteString(cluster.Diff(pair[0], pair[1]))
		}
	}
	p.report(t, "diffs", text.String())
}

// TestPlantedSecretsAreNotInUndoLists records fixes of every object: an update, a deletion and a creation each, and spoils each record in
// every place. Neither the list of runs nor the reason why a record is ignored shows a secret.
func TestPlantedSecretsAreNotInUndoLists(t *testing.T) {
	p := newPlanter()
	before, after := plantedObjects(p), plantedObjects(p)
	records := []*unstructured.Unstructured{state.Object()}
	first := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	add := func(spoil func(run string) string, steps ...*fixes.Step) {
		run := &fixes.Run{Name: first.Add(time.Duration(len(records)) * time.Second).Format("20060102-150405"), Finished: true, Steps: steps}
		content, err := json.Marshal(run)
		if err != nil {
			t.Fatal(err)
		}
		if spoil != nil {
			content = []byte(spoil(string(content)))
		}
		record := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret", "data": map[string]any{"run": base64.StdEncoding.EncodeToString(content)}}}
		record.SetNamespace(state.Namespace)
		record.SetName("kubectl-kubeflow-doctor-" + run.Name)
		record.SetLabels(map[string]string{"kubectl-kubeflow/doctor-run": run.Name})
		records = append(records, record)
	}
	for i, o := range before {
		inverse, err := cluster.Change{Verb: cluster.Patch, Before: o, After: after[i]}.Inverse()
		if err != nil {
			t.Fatal(err)
		}
		about := cluster.RefOf(o)
		add(nil, &fixes.Step{Check: "auth/secrets", Title: p.Next("title"), Verb: cluster.Patch, About: about, Inverse: inverse},
			&fixes.Step{Check: "auth/secrets", Title: p.Next("title"), Verb: cluster.Delete, About: about, Before: o},
			&fixes.Step{Check: "auth/secrets", Title: p.Next("title"), Verb: cluster.Create, About: about, Created: true})
		step := fixes.Step{Check: "auth/secrets", Verb: cluster.Patch, About: about, Inverse: inverse}
		for _, spoiled := range []fixes.Step{{Verb: cluster.Verb(p.Next("verb"))}, {Verb: cluster.Patch, State: fixes.StepState(p.Next("state"))}, {Verb: cluster.Delete}, {Verb: cluster.Patch, Before: o}, {Verb: cluster.Delete, Before: after[0]}} {
			spoiled.Check, spoiled.About = step.Check, step.About
			add(nil, &spoiled)
		}
		for _, operation := range []string{`{"op":%s,"path":"/data"}`, `{"op":"copy","from":%s,"path":"/data"}`, `{"op":%s}`, `%s`, `[%s]`} {
			quoted, _ := json.Marshal(p.Next("operation"))
			spoiled := step
			spoiled.Inverse = json.RawMessage("[" + strings.ReplaceAll(operation, "%s", string(quoted)) + "]")
			add(nil, &spoiled)
		}
		number := p.Plant(kubetest.SecretShapes[3], "number")
		spoiled := step
		spoiled.Inverse = json.RawMessage(`[{"op":` + strings.TrimLeft(number, "0") + `}]`)
		add(nil, &spoiled)
		add(func(run string) string { return run[:2*len(run)/3] }, &step)
		add(func(run string) string {
			return strings.Replace(run, `"started":"`, `"started":"`+p.Plant(kubetest.SecretShapes[0], "started"), 1)
		}, &step)
		add(func(run string) string {
			return strings.Replace(run, `"name":"2`, `"name":"`+p.Plant(kubetest.SecretShapes[0], "name"), 1)
		}, &step)
	}
	history, err := fixes.ReadHistory(t.Context(), cluster.Saved("the test", cluster.Memory{Now: first}, records...))
	if err != nil {
		t.Fatal(err)
	}
	if len(history.Runs) < len(before) || len(history.Spoiled) < 10*len(before) {
		t.Errorf("of the records of %d objects, %d are read and %d are ignored", len(before), len(history.Runs), len(history.Spoiled))
	}
	shown, err := json.Marshal(fixes.List(history))
	if err != nil {
		t.Fatal(err)
	}
	p.report(t, "lists of runs", string(shown)+fmt.Sprint(history.Spoiled))
}
