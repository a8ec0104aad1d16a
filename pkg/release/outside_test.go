package release

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const canary = "canary-of-the-user"

// home is a user's files, beside a folder of somebody else. It returns that folder, and what leads to a file of the user.
func home(t *testing.T) (folder string, leads map[string]string) {
	t.Helper()
	root := tree(t, map[string]string{
		"home/config":              canary + "=x\n",
		"home/secret.yaml":         "apiVersion: v1\nkind: Secret\nmetadata: {name: " + canary + "}\n",
		"home/dir/config":          canary,
		"theirs/cm.yaml":           cm + "x}\n",
		"theirs/base/nothing.yaml": cm + "z}\n",
	})
	folder = filepath.Join(root, "theirs")
	for name, target := range map[string]string{"file-link": "../home/secret.yaml", "dir-link": "../home", "absolute-link.yaml": filepath.Join(root, "home/secret.yaml")} {
		if err := os.Symlink(target, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	return folder, map[string]string{
		"a relative path":         "../home/secret.yaml",
		"an absolute path":        filepath.Join(root, "home/secret.yaml"),
		"a link":                  "file-link",
		"an absolute link":        "absolute-link.yaml",
		"a link to a folder":      "dir-link/secret.yaml",
		"a way through a folder":  "base/../../home/secret.yaml",
		"the environment of Unix": "/proc/self/environ",
		"a device":                "/dev/zero",
	}
}

// loading are the fields of a kustomization that load a file.
var loading = map[string]string{
	"resources":                  "resources: [%s]",
	"bases":                      "bases: [%s]",
	"components":                 "components: [%s]",
	"crds":                       "resources: [cm.yaml]\ncrds: [%s]",
	"configurations":             "resources: [cm.yaml]\nconfigurations: [%s]",
	"transformers":               "resources: [cm.yaml]\ntransformers: [%s]",
	"generators":                 "generators: [%s]",
	"validators":                 "resources: [cm.yaml]\nvalidators: [%s]",
	"patchesStrategicMerge":      "resources: [cm.yaml]\npatchesStrategicMerge: [%s]",
	"patches":                    "resources: [cm.yaml]\npatches: [{path: %s, target: {kind: ConfigMap}}]",
	"patchesJson6902":            "resources: [cm.yaml]\npatchesJson6902: [{target: {version: v1, kind: ConfigMap, name: x}, path: %s}]",
	"replacements":               "resources: [cm.yaml]\nreplacements: [{path: %s}]",
	"openapi":                    "resources: [cm.yaml]\nopenapi: {path: %s}",
	"configMapGenerator.files":   "configMapGenerator: [{name: x, files: [%s]}]",
	"configMapGenerator.files =": "configMapGenerator: [{name: x, files: [key=%s]}]",
	"configMapGenerator.envs":    "configMapGenerator: [{name: x, envs: [%s]}]",
	"configMapGenerator.env":     "configMapGenerator: [{name: x, env: %s}]",
	"secretGenerator.files":      "secretGenerator: [{name: x, files: [%s]}]",
	"secretGenerator.envs":       "secretGenerator: [{name: x, envs: [%s]}]",
	"a builtin generator":        "generators:\n- |-\n  apiVersion: builtin\n  kind: ConfigMapGenerator\n  metadata: {name: x}\n  name: x\n  files: [%s]\n",
	"a builtin secret":           "generators:\n- |-\n  apiVersion: builtin\n  kind: SecretGenerator\n  metadata: {name: x}\n  name: x\n  envs: [%s]\n",
	"a builtin patch":            "resources: [cm.yaml]\ntransformers:\n- |-\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {name: x}\n  path: %s\n  target: {kind: ConfigMap}\n",
	"a builtin replacement":      "resources: [cm.yaml]\ntransformers:\n- |-\n  apiVersion: builtin\n  kind: ReplacementTransformer\n  metadata: {name: x}\n  replacements: [{path: %s}]\n",
	"helmCharts":                 "helmCharts: [{name: x, valuesFile: %s}]",
	"helmGlobals":                "helmGlobals: {chartHome: %s}\nhelmCharts: [{name: x}]",
}

func TestAKustomizationOnDiskReadsNothingOutsideItsFolder(t *testing.T) {
	for field, content := range loading {
		folder, leads := home(t)
		for way, path := range leads {
			if err := os.WriteFile(filepath.Join(folder, "kustomization.yaml"), fmt.Appendf(nil, content, path), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := Render(t.Context(), Input{File: folder}, RenderOptions{CacheDir: t.TempDir()})
			if err == nil {
				t.Errorf("%s with %s is rendered: %v", field, way, got.Objects())
				continue
			}
			if said := strings.ReplaceAll(err.Error(), filepath.Dir(folder), ""); strings.Contains(said, canary) || strings.Contains(said, "\n") {
				t.Errorf("%s with %s: the error shows the content: %v", field, way, err)
			}
		}
	}
}

func TestALinkInPlaceOfTheKustomizationLeadsNowhere(t *testing.T) {
	folder, _ := home(t)
	if err := os.Symlink("../home/secret.yaml", filepath.Join(folder, "kustomization.yaml")); err != nil {
		t.Fatal(err)
	}
	if got, err := Render(t.Context(), Input{File: folder}, RenderOptions{CacheDir: t.TempDir()}); err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestAFolderOfManifestsIsReadWithoutFollowingLinksOutward(t *testing.T) {
	folder, _ := home(t)
	got, err := Render(t.Context(), Input{File: folder}, RenderOptions{CacheDir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "absolute-link.yaml") {
		t.Errorf("%v, %v", got, err)
	}
	if _, names := rendered(t, Input{File: folder}, RenderOptions{Unrestricted: true}); !strings.Contains(strings.Join(names, " "), canary) {
		t.Errorf("with the restriction lifted: %v", names)
	}
}

func TestTheRestrictionCanBeLifted(t *testing.T) {
	folder, leads := home(t)
	for _, field := range []string{"resources", "configMapGenerator.files", "a builtin generator"} {
		if err := os.WriteFile(filepath.Join(folder, "kustomization.yaml"), fmt.Appendf(nil, loading[field], leads["a relative path"]), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := Render(t.Context(), Input{File: folder}, RenderOptions{CacheDir: t.TempDir(), Unrestricted: true}); err != nil || len(got.Objects()) != 1 {
			t.Errorf("%s: %v, %v", field, got, err)
		}
	}
}

func TestAKfDefTakesRepositoriesFromItsOwnFolderAlone(t *testing.T) {
	root := tree(t, map[string]string{"home/app/kustomization.yaml": "resources: [cm.yaml]\n", "home/app/cm.yaml": cm + canary + "}\n", "theirs/empty": ""})
	if err := os.Symlink("../home", filepath.Join(root, "theirs/link")); err != nil {
		t.Fatal(err)
	}
	for name, uri := range map[string]string{"a relative path": "../home", "an absolute path": filepath.Join(root, "home"), "a file URL": "file://" + filepath.ToSlash(filepath.Join(root, "home")), "a link": "link", "a device": "/dev/zero"} {
		file := filepath.Join(root, "theirs/kfdef.yaml")
		content := "apiVersion: kfdef.apps.kubeflow.org/v1\nkind: KfDef\nmetadata: {name: x, namespace: kubeflow}\nspec:\n  applications:\n  - {name: app, kustomizeConfig: {repoRef: {name: m, path: app}}}\n  repos:\n  - {name: m, uri: '" + uri + "'}\n  version: v1.2.0\n"
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		for from, in := range map[string]Input{"a file": {File: file}, "standard input": {File: "-", Stdin: strings.NewReader(content)}} {
			if got, err := Render(t.Context(), in, RenderOptions{CacheDir: t.TempDir()}); err == nil {
				t.Errorf("%s from %s is read: %v", name, from, got.Objects())
			}
		}
		if got, err := Render(t.Context(), Input{File: file}, RenderOptions{CacheDir: t.TempDir(), Unrestricted: true}); name != "a device" && (err != nil || len(got.Objects()) == 0) {
			t.Errorf("%s, with the restriction lifted: %v, %v", name, got, err)
		}
	}
}

func TestNoConfigurationOfATransformerReachesTheNetwork(t *testing.T) {
	asked := ""
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked = r.URL.Path }))
	defer server.Close()
	for _, link := range []bool{false, true} {
		for field, content := range loading {
			folder, _ := home(t)
			for i, text := range []string{fmt.Sprintf(content, server.URL+"/x"), fmt.Sprintf(content, "k="+server.URL+"/x")} {
				name := filepath.Join(folder, "kustomization.yaml")
				if link { // a link is not rewritten under its own name
					_ = os.Remove(name)
					if err := os.Symlink("real.yaml", name); err != nil {
						t.Fatal(err)
					}
					name = filepath.Join(folder, "real.yaml")
				}
				if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				_, _ = Render(t.Context(), Input{File: folder}, RenderOptions{CacheDir: t.TempDir(), HTTP: &http.Client{Transport: refuse{}}})
				if asked != "" {
					t.Errorf("%s (%d, link %v): the server was asked for %s", field, i, link, asked)
					asked = ""
				}
			}
		}
	}
}
