package release

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
)

func TestRenderedYAMLIsUsedAsItIs(t *testing.T) {
	const yaml = "# a comment\n---\n" + cm + "one}\n---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: two, namespace: ns}}\n"
	root := tree(t, map[string]string{"all.yaml": yaml, "dir/a.yaml": yaml, "dir/sub/b.json": `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"}}`, "dir/README.md": "no"})
	one := []string{"ConfigMap//one", "Secret/ns/two"}
	for name, in := range map[string]Input{
		"a file": {File: filepath.Join(root, "all.yaml")},
		"a URL":  {File: "file://" + filepath.ToSlash(filepath.Join(root, "all.yaml"))},
		"stdin":  {File: "-", Stdin: strings.NewReader(yaml)},
	} {
		if got, names := rendered(t, in, RenderOptions{}); !slices.Equal(names, one) || got.Namespace != "" {
			t.Errorf("%s: %v", name, names)
		}
	}
	got, names := rendered(t, Input{File: filepath.Join(root, "dir")}, RenderOptions{})
	if !slices.Equal(names, append([]string{"ConfigMap//one", "Pod//p"}, one[1:]...)) || got.Components[0].Name != "a" || got.Components[1].Name != "sub" {
		t.Errorf("a folder: %v in %+v", names, got.Components)
	}
}

func TestAFolderWithAKustomizationIsBuilt(t *testing.T) {
	root := tree(t, map[string]string{"mine/kustomization.yaml": "namespace: ns\nresources: [cm.yaml]\n", "mine/cm.yaml": cm + "x}\n", "mine/not.yaml": cm + "y}\n"})
	for _, name := range []string{"mine", "mine/kustomization.yaml"} {
		got, names := rendered(t, Input{File: filepath.Join(root, name)}, RenderOptions{})
		if !slices.Equal(names, []string{"ConfigMap/ns/x"}) || got.Components[0].Name != "mine" {
			t.Errorf("%s: %v in %+v", name, names, got.Components)
		}
	}
}

func TestAFileByURLIsFetchedAndReportedAsUnverified(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(cm + "x}\n")) }))
	defer server.Close()
	got, names := rendered(t, Input{File: server.URL + "/all.yaml"}, RenderOptions{})
	if !slices.Equal(names, []string{"ConfigMap//x"}) || len(got.Pins) != 1 || got.Pins[0].Verified || len(got.Warnings) != 1 {
		t.Errorf("%v, pins %+v, warnings %v", names, got.Pins, got.Warnings)
	}
}

func TestManifestsAreRecognisedByTheirPipelines(t *testing.T) {
	deployment := "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ml-pipeline, namespace: kubeflow}\n" +
		"spec: {template: {spec: {containers: [{name: proxy, image: proxy}, {name: api, image: 'registry.local:5000/kfp-api-server:2.16.0@sha256:" + strings.Repeat("0", 64) + "'}]}}}\n"
	got, _ := rendered(t, Input{File: "-", Stdin: strings.NewReader(deployment)}, RenderOptions{})
	if got.Release == nil || got.Release.Version != "26.03" {
		t.Errorf("release is %v", got.Release)
	}
}

func TestUnusableInputIsExplained(t *testing.T) {
	root := tree(t, map[string]string{
		"empty.yaml": "# nothing\n", "scalar.yaml": "just text\n", "nameless.yaml": "apiVersion: v1\nkind: ConfigMap\n",
		"kindless.yaml": "metadata: {name: x}\n", "k.yaml": "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n",
		"folder/README.md": "", "binary.yaml": "\x00\x01\x02",
	})
	for name, says := range map[string]string{
		"none.yaml": "no such file", "empty.yaml": "holds no Kubernetes objects", "scalar.yaml": "document 1", "nameless.yaml": "has no metadata.name",
		"kindless.yaml": "document 1", "k.yaml": "needs the files beside it", "folder": "holds no YAML", "binary.yaml": "document 1",
	} {
		_, err := Render(t.Context(), Input{File: filepath.Join(root, name)}, RenderOptions{CacheDir: t.TempDir()})
		var input *problem.Error
		if !errors.As(err, &input) || input.Next == "" || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error is %v, should say %q in one line", name, err, says)
		}
	}
}

func TestAWrongArchiveIsRejectedWithBothHashesAndTheNextStep(t *testing.T) {
	mirror := t.TempDir()
	packed(t, mirror, "github.com/kubeflow/community-distribution/archive/refs/tags/26.03.tar.gz", made([]string{"a"}))
	_, err := Render(t.Context(), Input{Release: "26.03"}, RenderOptions{CacheDir: t.TempDir(), Mirror: mirror})
	r, _ := Find("26.03")
	var input *problem.Error
	if !errors.As(err, &input) || !strings.Contains(err.Error(), r.Source.Hash) || strings.Count(err.Error(), "h1:") != 2 || !strings.Contains(input.Next, "--skip-verify") {
		t.Errorf("error is %v", err)
	}
}

func TestContentThatIsMissingInTheMirrorIsReported(t *testing.T) {
	_, err := Render(t.Context(), Input{Release: "26.03"}, RenderOptions{CacheDir: t.TempDir(), Mirror: t.TempDir()})
	var input *problem.Error
	if !errors.As(err, &input) || !strings.Contains(err.Error(), "github.com/kubeflow/community-distribution/archive/refs/tags/26.03.tar.gz") {
		t.Errorf("error is %v", err)
	}
}

func TestAReferenceThatCannotBeFollowedIsNamed(t *testing.T) {
	root := tree(t, map[string]string{"kustomization.yaml": "resources: ['https://gitlab.com/o/r//a?ref=v1']\n"})
	_, err := Render(t.Context(), Input{File: root}, RenderOptions{CacheDir: t.TempDir()})
	var input *problem.Error
	if !errors.As(err, &input) || !strings.Contains(err.Error(), "kustomization.yaml refers to https://gitlab.com/o/r//a?ref=v1") {
		t.Errorf("error is %v", err)
	}
}

func TestMiniNeedsNothingAndBuildsTheSameAgain(t *testing.T) {
	cache := t.TempDir()
	dead := &http.Client{Transport: refuse{}}
	got, first := rendered(t, Input{Release: "mini"}, RenderOptions{CacheDir: cache, HTTP: dead})
	again, second := rendered(t, Input{Release: "mini"}, RenderOptions{CacheDir: cache, HTTP: dead})
	if len(first) != 66 || !slices.Equal(first, second) || len(got.Warnings) != 0 || !got.Pins[0].Verified || got.Release.Version != "mini" {
		t.Errorf("%d objects, then %d, warnings %v, pins %v", len(first), len(second), got.Warnings, got.Pins)
	}
	got.Objects()[0].SetName("changed")
	if again.Objects()[0].GetName() == "changed" {
		t.Error("two renders share their objects")
	}
	if kept, err := os.ReadDir(cache); err != nil || len(kept) != 0 {
		t.Errorf("objects are kept in %v, %v, where others may change them", kept, err)
	}
}

// refuse is an HTTP client without a network.
type refuse struct{}

func (refuse) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("there is no network")
}

func TestFieldsOfTheWholeKustomizationApplyToEachComponent(t *testing.T) {
	a := &archive.Archive{Files: map[string][]byte{
		"env/example/kustomization.yaml": []byte("namespace: ns\nresources: [../../a, ../../b, ../../extra]\ncommonLabels: {l: v}\npatches:\n- path: patch.yaml\n  target: {kind: ConfigMap}\n"),
		"env/example/patch.yaml":         []byte("- {op: add, path: /data, value: {patched: 'yes'}}\n"),
	}}
	for _, name := range []string{"a", "b", "extra"} {
		a.Files[name+"/kustomization.yaml"] = []byte("resources: [cm.yaml]\n")
		a.Files[name+"/cm.yaml"] = []byte(cm + name + "}\n")
	}
	r := newRendering(t.Context(), RenderOptions{CacheDir: t.TempDir()})
	parts, err := r.fromKustomization(t.Context(), Release{Kustomization: "env/example", Components: []Component{{Name: "one", From: []string{"a"}}, {Name: "two", From: []string{"b"}}}}, a)
	if err != nil {
		t.Fatal(err)
	}
	components, err := r.build(t.Context(), parts)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, component := range components {
		names = append(names, component.Name)
		for _, object := range component.Objects {
			data, _ := object.Object["data"].(map[string]any)
			if object.GetNamespace() != "ns" || object.GetLabels()["l"] != "v" || data["patched"] != "yes" {
				t.Errorf("%s is %v", object.GetName(), object.Object)
			}
		}
	}
	if !slices.Equal(names, []string{"one", "two", "extra"}) {
		t.Errorf("components are %v", names)
	}
}

func TestAnObjectThatNoServerAcceptsIsAnErrorThatNamesItsFile(t *testing.T) {
	root := tree(t, map[string]string{
		"all/kustomization.yaml":   "resources: [../base]\n",
		"base/kustomization.yaml":  "resources: [profile.yaml]\n",
		"base/profile.yaml":        "apiVersion: kubeflow.org/v1\nkind: Profile\nmetadata: {name: $(profile-name)}\n",
		"role.yaml":                "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: 'system:a'}\n",
		"broken.yaml":              "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Upper}\n",
		"hosts/kustomization.yaml": "resources: [route.yaml]\n",
		"hosts/route.yaml":         "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec: {hosts: [a.$(domain)]}\n",
	})
	for input, want := range map[string]string{
		"all":         `Profile/$(profile-name): metadata.name "$(profile-name)" holds the variable $(profile-name), which nothing resolves (in ` + filepath.Join(root, "base/profile.yaml") + ")",
		"hosts":       `spec.hosts[0] "a.$(domain)" holds the variable $(domain), which nothing resolves (in ` + filepath.Join(root, "hosts/route.yaml") + ")",
		"broken.yaml": `ConfigMap/Upper: metadata.name "Upper" is not a valid name: a lowercase RFC 1123 subdomain`,
	} {
		_, err := Render(t.Context(), Input{File: filepath.Join(root, input)}, RenderOptions{CacheDir: t.TempDir()})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want an error with %q, got %v", input, want, err)
		}
	}
	if _, err := Render(t.Context(), Input{File: filepath.Join(root, "role.yaml")}, RenderOptions{CacheDir: t.TempDir()}); err != nil {
		t.Errorf("a role with a colon: %v", err)
	}
}
