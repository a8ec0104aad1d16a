package kustomization

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
)

func archived(files map[string]string) *archive.Archive {
	a := &archive.Archive{Files: map[string][]byte{}}
	for name, content := range files {
		a.Files[name] = []byte(content)
	}
	return a
}

func configMap(name string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s\n", name)
}

// names returns the objects that a folder builds, or the error.
func names(t *testing.T, tree *Tree, folder string) []string {
	t.Helper()
	objects, err := tree.Build(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, object := range objects {
		out = append(out, object.GetName())
	}
	slices.Sort(out)
	return out
}

func TestReferencesToRepositoriesAndFilesAreBuiltWithoutGitOrNetwork(t *testing.T) {
	var mu sync.Mutex
	var fetched []string
	tree := &Tree{Fetch: func(r Remote) (*archive.Archive, error) {
		mu.Lock()
		defer mu.Unlock()
		fetched = append(fetched, r.URL)
		if strings.HasSuffix(r.URL, ".yaml") {
			a := archived(map[string]string{"manifests.yaml": configMap("from-file")})
			a.Single = "manifests.yaml"
			return a, nil
		}
		return archived(map[string]string{
			"deploy/base/kustomization.yaml": "resources: [cm.yaml, 'https://github.com/o/r/other?ref=v1']\n",
			"deploy/base/cm.yaml":            configMap("from-repository"),
			"other/kustomization.yaml":       "resources: [cm.yaml]\n",
			"other/cm.yaml":                  configMap("from-itself"),
		}), nil
	}}
	folder := tree.Mount("a", archived(map[string]string{
		"example/kustomization.yaml": "resources: [../base, 'https://github.com/o/r/deploy/base?ref=v1', https://github.com/p/q/releases/download/v2/manifests.yaml]\n",
		"base/kustomization.yaml":    "bases: [deep]\nresources: [cm.yaml]\n",
		"base/cm.yaml":               configMap("own"),
		"base/deep/Kustomization":    "resources: [cm.yaml]\n",
		"base/deep/cm.yaml":          configMap("deep"),
	}))
	want := []string{"deep", "from-file", "from-itself", "from-repository", "own"}
	if got := names(t, tree, folder+"/example"); !slices.Equal(got, want) {
		t.Errorf("built %v, want %v", got, want)
	}
	slices.Sort(fetched)
	if want := []string{"https://github.com/o/r/archive/v1.tar.gz", "https://github.com/p/q/releases/download/v2/manifests.yaml"}; !slices.Equal(fetched, want) {
		t.Errorf("fetched %v, want each once: %v", fetched, want)
	}
}

func TestNoFieldCanReachTheNetwork(t *testing.T) {
	asked := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer server.Close()
	for _, field := range []string{
		"resources: [%s]", "bases: [%s]", "components: [%s]", "crds: [%s]", "configurations: [%s]",
		"transformers: [%s]", "generators: [%s]", "validators: [%s]", "patchesStrategicMerge: [%s]",
		"patches: [{path: %s}]", "patchesJson6902: [{target: {version: v1, kind: ConfigMap, name: x}, path: %s}]",
		"replacements: [{path: %s}]", "openapi: {path: %s}",
		"configMapGenerator: [{name: x, files: [%s]}]", "configMapGenerator: [{name: x, files: [key=%s]}]",
		"secretGenerator: [{name: x, envs: [%s]}]",
	} {
		tree := &Tree{Fetch: func(Remote) (*archive.Archive, error) { return nil, errors.New("not here") }}
		folder := tree.Mount("a", archived(map[string]string{"kustomization.yaml": fmt.Sprintf(field, server.URL+"/x.yaml")}))
		_, err := tree.Build(t.Context(), folder)
		var reference *ReferenceError
		if !errors.As(err, &reference) || reference.File != "kustomization.yaml" {
			t.Errorf("%s: error is %v", field, err)
		}
	}
	if asked {
		t.Error("the server received a request")
	}
}

func TestReferencesAreParsedAsByKustomize(t *testing.T) {
	const base = "https://github.com/o/r/archive/"
	for reference, want := range map[string]Remote{
		"https://github.com/o/r/a/b?ref=v1.0":           {URL: base + "v1.0.tar.gz", Path: "a/b"},
		"https://github.com/o/r//a/b?ref=v1.0":          {URL: base + "v1.0.tar.gz", Path: "a/b"},
		"https://github.com/o/r.git//a?ref=v1.0":        {URL: base + "v1.0.tar.gz", Path: "a"},
		"github.com/o/r//a?ref=v1.0":                    {URL: base + "v1.0.tar.gz", Path: "a"},
		"git::https://github.com/o/r//a?ref=v1.0":       {URL: base + "v1.0.tar.gz", Path: "a"},
		"git@github.com:o/r.git//a?ref=v1.0":            {URL: base + "v1.0.tar.gz", Path: "a"},
		"ssh://git@github.com/o/r//a?ref=v1.0":          {URL: base + "v1.0.tar.gz", Path: "a"},
		"https://github.com/o/r?version=v1.0":           {URL: base + "v1.0.tar.gz"},
		"https://github.com/o/r/a?ref=main":             {URL: base + "main.tar.gz", Path: "a"},
		"https://github.com/o/r/a":                      {URL: base + "HEAD.tar.gz", Path: "a"},
		"https://example.com/x.yaml":                    {URL: "https://example.com/x.yaml"},
		"https://raw.githubusercontent.com/o/r/v1/file": {URL: "https://raw.githubusercontent.com/o/r/v1/file"},
	} {
		if got, ok, err := ParseRemote(reference); err != nil || !ok || got != want {
			t.Errorf("%s is %+v, %v, want %+v", reference, got, err, want)
		}
	}
	for _, local := range []string{"../base", "a/b.yaml", ".", "apiVersion: v1\nurl: https://x\n"} {
		if _, ok, _ := ParseRemote(local); ok {
			t.Errorf("%q is recognised as an address", local)
		}
	}
	for _, impossible := range []string{"https://gitlab.com/o/r//a?ref=v1", "https://github.com/o", "https://github.com/o/r/../../x/../..?ref=v1"} {
		if _, ok, err := ParseRemote(impossible); !ok || err == nil {
			t.Errorf("%q is accepted", impossible)
		}
	}
}

func TestAKustomizationOnDiskMayReferToOtherFolders(t *testing.T) {
	root := t.TempDir()
	put := func(name, content string) {
		full := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("mine/kustomization.yaml", "resources: [../beside, 'https://github.com/o/r/a?ref=v1']\nnamePrefix: my-\n")
	put("beside/kustomization.yaml", "resources: [cm.yaml]\n")
	put("beside/cm.yaml", configMap("beside"))
	tree := &Tree{Fetch: func(Remote) (*archive.Archive, error) {
		return archived(map[string]string{"a/kustomization.yaml": "resources: [cm.yaml]\n", "a/cm.yaml": configMap("far")}), nil
	}}
	if got := names(t, tree, filepath.Join(root, "mine")); !slices.Equal(got, []string{"my-beside", "my-far"}) {
		t.Errorf("built %v", got)
	}
	content, err := os.ReadFile(filepath.Join(root, "mine/kustomization.yaml"))
	if err != nil || !strings.Contains(string(content), "https://") {
		t.Errorf("the user's file was changed: %s", content)
	}
}

func TestLinksInAnArchiveAreFollowed(t *testing.T) {
	a := archived(map[string]string{"real/kustomization.yaml": "resources: [cm.yaml]\n", "real/cm.yaml": configMap("linked")})
	a.Links = map[string]string{"alias": "real", "circle": "circle"}
	tree := &Tree{}
	folder := tree.Mount("a", a)
	if got := names(t, tree, folder+"/alias"); !slices.Equal(got, []string{"linked"}) {
		t.Errorf("built %v", got)
	}
	if tree.Exists(folder + "/circle") {
		t.Error("a link to itself leads somewhere")
	}
}

func TestNoPluginOrProgramRuns(t *testing.T) {
	marker := filepath.Join(t.TempDir(), "ran")
	tree := &Tree{}
	folder := tree.Mount("a", archived(map[string]string{
		"kustomization.yaml": "generators: [g.yaml]\n",
		"g.yaml":             "apiVersion: v1\nkind: Anything\nmetadata:\n  name: g\n  annotations:\n    config.kubernetes.io/function: |\n      exec:\n        path: /usr/bin/touch\n        args: [" + marker + "]\n",
	}))
	if _, err := tree.Build(t.Context(), folder); err == nil {
		t.Error("a plugin was accepted")
	}
	if _, err := os.Stat(marker); err == nil {
		t.Error("a program ran")
	}
}

func TestABuildWritesNothingToStandardError(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stderr
	os.Stderr = write
	defer func() { os.Stderr = before }()
	var logged bytes.Buffer
	log.SetOutput(&logged)
	defer log.SetOutput(before)

	tree := &Tree{}
	folder := tree.Mount("a", archived(map[string]string{
		"kustomization.yaml": "resources: [cm.yaml]\ncommonLabels: {a: b}\nvars: [{name: UNUSED, objref: {apiVersion: v1, kind: ConfigMap, name: x}}]\n",
		"cm.yaml":            configMap("x"),
	}))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { _, _ = tree.Build(t.Context(), folder) })
	}
	all.Wait()
	if os.Stderr != write || log.Writer() != &logged {
		t.Error("standard error or the logger was not restored")
	}
	_ = write.Close()
	if said, _ := io.ReadAll(read); len(said) > 0 || logged.Len() > 0 {
		t.Errorf("it said %q and logged %q", said, logged.String())
	}
}

func TestAFaultIsReportedInOneLineWithItsFile(t *testing.T) {
	plugin := "apiVersion: x/v1\n  kind: Seer\n  metadata: {name: s, annotations: {config.kubernetes.io/function: 'exec: {path: x}'}}\n"
	for name, c := range map[string]struct {
		files map[string]string
		says  string
	}{
		"what is not there":  {map[string]string{"kustomization.yaml": "resources: [missing]\n"}, "apps/kustomization.yaml refers to missing, which is not there"},
		"a base that is not": {map[string]string{"kustomization.yaml": "resources: [b]\n", "b/x.yaml": "x"}, "apps/b holds no kustomization.yaml"},
		"a circle":           {map[string]string{"kustomization.yaml": "resources: [b]\n", "b/kustomization.yaml": "resources: [..]\n"}, "comes back to itself"},
		"no YAML":            {map[string]string{"kustomization.yaml": "resources: [a\n"}, "is not YAML that can be read"},
		"nothing":            {map[string]string{"kustomization.yaml": "# later\n"}, "is empty"},
		"another kind":       {map[string]string{"kustomization.yaml": "kind: Secret\n"}, "is a Secret, not a Kustomization"},
		"a chart":            {map[string]string{"kustomization.yaml": "helmCharts: [{name: x}]\n"}, "asks for Helm charts"},
		"a generator":        {map[string]string{"kustomization.yaml": "generators:\n- |-\n  " + plugin}, "asks for the plugin Seer"},
		"a transformer":      {map[string]string{"kustomization.yaml": "transformers: [t.yaml]\n", "t.yaml": strings.ReplaceAll(plugin, "\n  ", "\n")}, "asks for the plugin Seer"},
		"a broken resource":  {map[string]string{"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": "a: b\n c: d\n"}, "apps/a.yaml is not YAML"},
		"no object":          {map[string]string{"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": "a: b\n"}, "apps/a.yaml is not a Kubernetes object: document 1"},
		"a name twice":       {map[string]string{"kustomization.yaml": "resources: [a.yaml, b.yaml]\n", "a.yaml": configMap("x"), "b.yaml": configMap("x")}, "building apps: merging resources from 'b.yaml': may not add"},
		"an unknown field":   {map[string]string{"kustomization.yaml": "resource: [a.yaml]\n"}, `unknown field "resource"`},
	} {
		files := map[string]string{}
		for file, content := range c.files {
			files["apps/"+file] = content
		}
		tree := &Tree{}
		_, err := tree.Build(t.Context(), tree.Mount("a", archived(files))+"/apps")
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), root) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

func TestNumbersAndDatesHaveJSONTypes(t *testing.T) {
	tree := &Tree{}
	folder := tree.Mount("a", archived(map[string]string{
		"kustomization.yaml": "resources: [cr.yaml]\n",
		"cr.yaml":            "apiVersion: x/v1\nkind: X\nmetadata: {name: x}\nspec: {i: 3, octal: 0644, f: 1.5, b: true, n: null, s: \"3\", d: 2020-01-02, list: [1], none: {}}\n",
	}))
	objects, err := tree.Build(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	spec := objects[0].Object["spec"].(map[string]any)
	for key, want := range map[string]any{"i": int64(3), "octal": int64(420), "f": 1.5, "b": true, "s": "3", "d": "2020-01-02"} {
		if spec[key] != want {
			t.Errorf("%s is %#v, want %#v", key, spec[key], want)
		}
	}
	objects[0].DeepCopy() // panics on values that an object cannot contain
}
