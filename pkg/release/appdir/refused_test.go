package appdir

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

func TestAPathThatIsNotADirectoryOfAnApplicationIsRejected(t *testing.T) {
	root := t.TempDir()
	unpack(t, root, "-- file --\nx\n-- other/notes.txt --\nx\n-- two/a.yaml --\nkind: KfDef\n-- two/b.yaml --\nkind: KfDef\n-- bad/kubeflow.yaml --\nx: y\n"+
		"-- nolock/kubeflow.yaml --\n"+goodConfig+"-- nolock/kubeflow.lock --\nx\n-- hidden/.git/config --\nx\n")
	for path, want := range map[string]string{
		"file": "is a file, and --dir takes a directory", "two": "holds several KfDefs: a.yaml, b.yaml",
		"bad": "kubeflow.yaml cannot be read", "nolock": "kubeflow.lock cannot be read",
	} {
		_, err := Open(filepath.Join(root, path))
		mustFail(t, err, want)
	}
	_, err := Open("")
	mustFail(t, err, "--dir names no directory")
	_, err = Build(t.Context(), open(t, filepath.Join(root, "other")), Request{Want: Config{Build: mini}})
	mustFail(t, err, "is not an application directory: it holds notes.txt")
	_, err = Render(t.Context(), []*Dir{open(t, filepath.Join(root, "other"))}, release.RenderOptions{})
	mustFail(t, err, "is not an application directory")
	for _, empty := range []string{"hidden", "absent"} {
		_, err = Render(t.Context(), []*Dir{open(t, filepath.Join(root, empty))}, release.RenderOptions{})
		mustFail(t, err, "nothing is built into")
	}
	d := open(t, filepath.Join(root, "file-x"))
	d.Path = filepath.Join(root, "file", "below")
	d.put("x", nil)
	mustFail(t, d.Save(), "cannot be written")
}

func TestADirectoryCannotReferToAnythingOutside(t *testing.T) {
	root, d := edited(t)
	unpack(t, root, "-- secret.yaml --\n{apiVersion: v1, kind: ConfigMap, metadata: {name: outside}}\n")
	if err := os.Symlink(filepath.Join(root, "secret.yaml"), filepath.Join(d.Path, "kustomize", "a", "link.yaml")); err != nil {
		t.Fatal(err)
	}
	for kustomization, want := range map[string]string{
		"resources: [base, ../../../secret.yaml]":                               "leads out of the directory",
		"resources: [base, " + filepath.Join(root, "secret.yaml") + "]":         "leads out of the directory",
		"resources: [base, link.yaml]":                                          "link.yaml",
		"resources: [base, https://example.org/x.yaml]":                         "is not in the lock file",
		"resources: [base]\nhelmCharts: [{name: x, repo: https://example.org}]": "Helm",
		"resources: [base]\ngenerators: ['{apiVersion: x/v1, kind: Run, metadata: {name: a, annotations: {config.kubernetes.io/function: \"exec: {path: ./x}\"}}}']": "Run",
		"resources: [base, gone]": "gone",
		"resources: [base":        "cannot be built",
	} {
		unpack(t, root, "-- kf/kustomize/a/kustomization.yaml --\n"+kustomization+"\n")
		_, err := Render(t.Context(), []*Dir{open(t, d.Path)}, release.RenderOptions{CacheDir: t.TempDir()})
		mustFail(t, err, want)
	}
}

func TestReferencesOfAKustomizationAreLocked(t *testing.T) {
	content := "{apiVersion: v1, kind: ConfigMap, metadata: {name: remote, namespace: ns}}\n"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(content)) }))
	defer server.Close()
	root, d := edited(t)
	unpack(t, root, "-- kf/kustomize/a/kustomization.yaml --\nresources: [base, "+server.URL+"/x.yaml]\n")
	d, _ = built(t, d.Path, d.Config.Build)
	locked := d.Lock.Sources[server.URL+"/x.yaml"]
	if !hashRule.MatchString(locked) {
		t.Fatalf("the lock holds %v", d.Lock.Sources)
	}
	if _, err := Render(t.Context(), []*Dir{d}, release.RenderOptions{CacheDir: t.TempDir()}); err != nil {
		t.Error(err)
	}
	content = strings.Replace(content, "remote", "other", 1)
	o := release.RenderOptions{CacheDir: t.TempDir()}
	_, err := Render(t.Context(), []*Dir{d}, o)
	mustFail(t, err, "has changed since it was locked: its hash is h1:")
	mustFail(t, err, "and was "+locked)
	request := Request{Want: d.Config, Options: o}
	_, err = Build(t.Context(), open(t, d.Path), request)
	mustFail(t, err, "has changed since it was locked")
	request.Update = true
	if _, err = Build(t.Context(), d, request); err != nil || d.Lock.Sources[server.URL+"/x.yaml"] == locked {
		t.Errorf("with --update: %v, %v", err, d.Lock.Sources)
	}
}

func TestDirectoriesAreJoined(t *testing.T) {
	root, d := edited(t)
	unpack(t, root, "-- more/d.yaml --\n{apiVersion: v1, kind: ConfigMap, metadata: {name: d, namespace: ns}}\n")
	more, _ := built(t, filepath.Join(root, "kf2"), Source{Filename: filepath.Join(root, "more")})
	o := release.RenderOptions{CacheDir: t.TempDir()}
	got, err := Render(t.Context(), []*Dir{d, more}, o)
	if err != nil || len(got.Components) != 3 {
		t.Errorf("%v, %v", got, err)
	}
	_, err = Render(t.Context(), []*Dir{d, d}, o)
	mustFail(t, err, "component a is in ")
}
