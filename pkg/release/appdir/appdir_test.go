package appdir

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

func unpack(t *testing.T, folder, content string) {
	t.Helper()
	for _, file := range txtar.Parse([]byte(content)).Files {
		name := filepath.Join(folder, filepath.FromSlash(file.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, file.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// built builds into the folder, saves it, and opens it again.
func built(t *testing.T, folder string, source Source) (*Dir, *Report) {
	t.Helper()
	d := open(t, folder)
	want := d.Config
	want.Build = source
	report, err := Build(t.Context(), d, Request{Want: want, Options: release.RenderOptions{CacheDir: t.TempDir()}})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Save(); err != nil {
		t.Fatal(err)
	}
	return open(t, folder), report
}

func open(t *testing.T, folder string) *Dir {
	t.Helper()
	d, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func mustFail(t *testing.T, err error, want string) {
	t.Helper()
	var input *problem.Error
	if !errors.As(err, &input) || !strings.Contains(err.Error(), want) || input.Next == "" {
		t.Errorf("got %v, want a sentence with %q and a next step", err, want)
	}
}

var mini = Source{Release: "mini"}

func TestADirectoryRendersTheObjectsOfItsRelease(t *testing.T) {
	d, report := built(t, filepath.Join(t.TempDir(), "new", "kf"), mini)
	if len(report.Stale)+len(report.Edited)+len(report.Aside) > 0 {
		t.Errorf("a first build reports %+v", report)
	}
	o := release.RenderOptions{CacheDir: t.TempDir()}
	want, err := release.Render(t.Context(), release.Input{Release: "mini"}, o)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // built, and read from the cache
		got, err := Render(t.Context(), []*Dir{d}, o)
		if err != nil {
			t.Fatal(err)
		}
		if !equality.Semantic.DeepEqual(got.Components, want.Components) {
			t.Error("the objects differ")
		}
		if got.Release == nil || got.Release.Version != "mini" || len(got.Pins) != 1 {
			t.Errorf("release %v, pins %v", got.Release, got.Pins)
		}
	}
}

func TestFilesWithSecretsAreReadableOnlyByTheirOwner(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	d, _ := built(t, t.TempDir(), mini)
	for name, want := range map[string]os.FileMode{
		"kustomize/pipelines/base/resources.yaml": 0o600, "rendered/pipelines.yaml": 0o600,
		"kustomize/istio/base/resources.yaml": 0o644, "rendered/istio.yaml": 0o644, configFile: 0o644,
	} {
		stat, err := os.Stat(filepath.Join(d.Path, name))
		if err != nil || stat.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %v", name, stat.Mode(), err, want)
		}
	}
}

const source = `
-- src/a.yaml --
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: ns}
spec: {template: {spec: {containers: [{name: c, image: 'example.org/web:1'}]}}}
-- src/b.yaml --
{apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: ns}, data: {text: "a\n---\nb"}}
`

const edits = `
-- kf/kustomize/a/kustomization.yaml --
resources: [base]
patches:
- target: {kind: Deployment, name: web}
  patch: '[{"op": "add", "path": "/metadata/labels", "value": {"mine": "yes"}}]'
images: [{name: example.org/web, newTag: "2"}]
`

// edited returns a directory with a user's change in component a.
func edited(t *testing.T) (root string, d *Dir) {
	t.Helper()
	root = t.TempDir()
	unpack(t, root, source)
	built(t, filepath.Join(root, "kf"), Source{Filename: filepath.Join(root, "src")})
	unpack(t, root, edits)
	return root, open(t, filepath.Join(root, "kf"))
}

func TestABuildKeepsTheUsersChanges(t *testing.T) {
	root, d := edited(t)
	again, report := built(t, d.Path, d.Config.Build)
	if !slices.Equal(report.Edited, []string{"a"}) || len(report.Stale) > 0 {
		t.Errorf("edited %v, stale %v", report.Edited, report.Stale)
	}
	got, err := Render(t.Context(), []*Dir{again}, release.RenderOptions{CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	content, err := encode(got.Components[0].Objects)
	if err != nil || !strings.Contains(string(content), "mine: \"yes\"") || !strings.Contains(string(content), "example.org/web:2") {
		t.Errorf("%v:\n%s", err, content)
	}
	if shown, err := os.ReadFile(filepath.Join(root, "kf", "rendered", "a.yaml")); string(shown) != string(content) {
		t.Errorf("rendered/a.yaml, %v:\n%s", err, shown)
	}
}

func TestABuildReportsChangesThatNoLongerApply(t *testing.T) {
	root, d := edited(t)
	unpack(t, root, strings.ReplaceAll(strings.ReplaceAll(source, "name: web", "name: site"), "org/web", "org/site"))
	_, report := built(t, d.Path, d.Config.Build)
	if len(report.Stale) != 2 || report.Stale[0].Sentence() != "kustomize/a has a patch of Deployment web, and there is no such object" ||
		report.Stale[1].Sentence() != "kustomize/a replaces the image example.org/web, and none of its objects has it" {
		t.Errorf("%+v", report.Stale)
	}
	unpack(t, root, "-- kf/kustomize/b/kustomization.yaml --\nresources: [base]\npatches: [{patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: gone}}'}]\n")
	_, report = built(t, d.Path, d.Config.Build)
	if len(report.Stale) != 3 || !report.Stale[0].Broken || !strings.Contains(report.Stale[0].Sentence(), "kustomize/b cannot be built") {
		t.Errorf("%+v", report.Stale)
	}
}

func TestFilesOfTheUserAreKeptWhenAComponentIsRemoved(t *testing.T) {
	root, d := edited(t)
	unpack(t, root, "-- src/c.yaml --\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: ns}}\n")
	for _, name := range []string{"a.yaml", "b.yaml"} {
		if err := os.Remove(filepath.Join(root, "src", name)); err != nil {
			t.Fatal(err)
		}
	}
	again, report := built(t, d.Path, d.Config.Build)
	if !slices.Equal(again.Config.Components, []string{"c"}) || len(report.Stale) != 1 || report.Stale[0].Component != "a" {
		t.Errorf("components %v, stale %+v", again.Config.Components, report.Stale)
	}
	for name, want := range map[string]bool{"kustomize/a/kustomization.yaml": true, "kustomize/a/base": false, "kustomize/b": false, "rendered/a.yaml": false} {
		if _, err := os.Stat(filepath.Join(d.Path, name)); (err == nil) != want {
			t.Errorf("%s is there: %v, want %v", name, err == nil, want)
		}
	}
}

func TestARebuildKeepsTheUsersChoiceOfComponents(t *testing.T) {
	root, d := edited(t)
	config, err := os.ReadFile(filepath.Join(d.Path, configFile))
	if err != nil {
		t.Fatal(err)
	}
	unpack(t, root, "-- kf/kubeflow.yaml --\n"+strings.Replace(string(config), "- b\n", "- mine\n", 1)+
		"-- kf/kustomize/mine/kustomization.yaml --\nresources: [cm.yaml]\n-- kf/kustomize/mine/cm.yaml --\n{apiVersion: v1, kind: ConfigMap, metadata: {name: mine, namespace: ns}}\n")
	again, report := built(t, d.Path, d.Config.Build)
	if !slices.Equal(again.Config.Components, []string{"a", "mine"}) || len(report.Rendered.Objects()) != 2 {
		t.Errorf("components %v, %d objects", again.Config.Components, len(report.Rendered.Objects()))
	}
}

func TestAChangedBaseIsNotInstalledAndNotLost(t *testing.T) {
	root, d := edited(t)
	unpack(t, root, "-- kf/kustomize/b/base/resources.yaml --\n{apiVersion: v1, kind: ConfigMap, metadata: {name: other}}\n")
	o := release.RenderOptions{CacheDir: t.TempDir()}
	_, err := Render(t.Context(), []*Dir{open(t, d.Path)}, o)
	mustFail(t, err, "has changes in generated files: kustomize/b/base")
	o.SkipVerify = true
	if got, err := Render(t.Context(), []*Dir{open(t, d.Path)}, o); err != nil || got.Components[1].Objects[0].GetName() != "other" {
		t.Errorf("with --skip-verify: %v", err)
	}
	_, report := built(t, d.Path, d.Config.Build)
	kept, err := os.ReadFile(filepath.Join(d.Path, "kustomize/b/base.changed/resources.yaml"))
	if !slices.Equal(report.Aside, []string{"b"}) || !strings.Contains(string(kept), "other") {
		t.Errorf("aside %v, kept %q, %v", report.Aside, kept, err)
	}
	if names := open(t, d.Path).changedBases(); len(names) > 0 {
		t.Errorf("after the build %v are changed", names)
	}
}

func TestImagesOfTheConfigurationApplyToAllComponents(t *testing.T) {
	_, d := edited(t)
	d.Config.Images = []Image{{Name: "example.org/web", NewName: "registry.local/web", NewTag: "3"}, {Name: "no/such", NewTag: "1"}}
	got, err := Render(t.Context(), []*Dir{d}, release.RenderOptions{CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if images := imagesOf(got.Objects()); !images["registry.local/web"] || images["example.org/web"] {
		t.Errorf("images are %v", images)
	}
	if len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0], "no/such") {
		t.Errorf("warnings are %q", got.Warnings)
	}
}
