package release

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
)

// resources are the resources of a release's example, as far as they are documented: those of 26.03 are
// compared with its archive, the others were read from its README and from copies of the repository.
func resources(t *testing.T, version string) []string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "examples", version+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(content))
}

// made returns an archive with these resources, each a kustomization of one ConfigMap named after its path.
func made(paths []string) *archive.Archive {
	a := &archive.Archive{Files: map[string][]byte{}}
	top := "resources:\n"
	for _, folder := range paths {
		top += "- ../" + folder + "\n"
		a.Files[folder+"/kustomization.yaml"] = []byte("resources: [cm.yaml]\n")
		a.Files[folder+"/cm.yaml"] = fmt.Appendf(nil, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n", strings.ReplaceAll(folder, "/", "."))
	}
	a.Files["example/kustomization.yaml"] = []byte(top)
	return a
}

// componentsOf renders an archive as a release and returns the resources of each component.
func componentsOf(t *testing.T, release Release, a *archive.Archive) (names []string, has map[string][]string, warnings []string) {
	t.Helper()
	r := newRendering(t.Context(), RenderOptions{CacheDir: t.TempDir()})
	parts, err := r.fromKustomization(t.Context(), release, a)
	if err != nil {
		t.Fatalf("%s: %v", release, err)
	}
	components, err := r.build(t.Context(), parts)
	if err != nil {
		t.Fatalf("%s: %v", release, err)
	}
	has = map[string][]string{}
	for _, component := range components {
		names = append(names, component.Name)
		for _, object := range component.Objects {
			has[component.Name] = append(has[component.Name], strings.ReplaceAll(object.GetName(), ".", "/"))
		}
	}
	return names, has, r.out.Warnings
}

func TestEveryReleaseFrom13OnRendersComponentByComponent(t *testing.T) {
	for _, release := range All() {
		if release.Kustomization == "" {
			continue
		}
		paths := resources(t, release.Version)
		release.Components = slices.Clone(release.Components) // the list is shared
		for i := range release.Components {
			release.Components[i].Beside = nil // ConfigMaps do not affect other components
		}
		names, has, warnings := componentsOf(t, release, made(paths))
		var want []string
		for _, component := range release.Components {
			want = append(want, component.Name)
		}
		if !slices.Equal(names, want) || len(warnings) > 0 {
			t.Errorf("%s renders to %v, listed are %v; warnings %q", release, names, want, warnings)
		}
		var all []string
		for _, some := range has {
			all = append(all, some...)
		}
		if len(all) != len(paths) {
			t.Errorf("%s has %d resources, %d were rendered", release, len(paths), len(all))
		}
	}
}

func TestAComponentHasTheSameNameInEveryRelease(t *testing.T) {
	for _, release := range All() {
		if release.Kustomization == "" {
			continue
		}
		for _, name := range []string{"namespaces", "cert-manager", "istio", "dex", "knative", "kubeflow", "pipelines", "katib", "dashboard", "notebooks", "user-namespace"} {
			if indexOf(release.Components, name) < 0 {
				t.Errorf("%s has no component %s", release, name)
			}
		}
	}
}

func TestTheTestResourcesOf2603MatchItsArchive(t *testing.T) {
	o := offline(t)
	release, err := Find("26.03")
	if err != nil {
		t.Fatal(err)
	}
	a, err := newRendering(t.Context(), o).fetch(t.Context(), release.Source.URL)
	if err != nil {
		t.Fatal(err)
	}
	var own []string
	for line := range strings.Lines(string(a.Files["example/kustomization.yaml"])) {
		if rest, ok := strings.CutPrefix(line, "- ../"); ok {
			own = append(own, strings.Fields(rest)[0])
		}
	}
	written := resources(t, "26.03")
	slices.Sort(own)
	slices.Sort(written)
	if !slices.Equal(own, written) {
		t.Errorf("its archive has\n%v\nwritten down are\n%v", own, written)
	}
}

func TestAnUnlistedFolderOfTheArchiveIsAComponent(t *testing.T) {
	release, err := Find("1.8.1")
	if err != nil {
		t.Fatal(err)
	}
	paths := slices.DeleteFunc(resources(t, "1.8.1"), func(p string) bool { return strings.Contains(p, "katib") })
	paths = append(paths, "contrib/seldon/seldon-core-operator/overlays/application", "contrib/ray/kuberay-operator", "common/istio-1-99/more")
	names, has, warnings := componentsOf(t, release, made(paths))
	if slices.Contains(names, "katib") || len(warnings) != 1 || !strings.Contains(warnings[0], "nothing for katib") {
		t.Errorf("components %v, warnings %q", names, warnings)
	}
	if len(has["seldon"]) != 1 || len(has["ray"]) != 1 || !slices.Contains(has["istio"], "common/istio-1-99/more") {
		t.Errorf("components are %v", has)
	}
}

func TestAListedFolderThatIsMissingInTheArchiveIsAWarning(t *testing.T) {
	release := Release{Version: "9", Kustomization: "example", Components: []Component{
		{Name: "one", From: []string{"a", "gone"}}, {Name: "two", From: []string{"gone-too"}}, {Name: "three", From: []string{"b"}, Needs: []string{"two", "one"}}}}
	names, _, warnings := componentsOf(t, release, made([]string{"a", "b"}))
	if !slices.Equal(names, []string{"one", "three"}) || len(warnings) != 2 || !strings.Contains(warnings[0], "has no gone, which belongs to one") {
		t.Errorf("components %v, warnings %q", names, warnings)
	}
}

func TestAKustomizationThatReachesAcrossIsBuiltAsAWhole(t *testing.T) {
	a := made([]string{"apps/katib", "apps/pipeline"})
	a.Files["apps/katib/kustomization.yaml"] = []byte("resources: [cm.yaml]\nconfigMapGenerator: [{name: made, literals: [a=1]}]\n")
	a.Files["example/kustomization.yaml"] = append(a.Files["example/kustomization.yaml"], "components: [../common/security]\n"...)
	a.Files["common/security/kustomization.yaml"] = []byte("apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nconfigMapGenerator: [{name: made, behavior: merge, literals: [b=2]}]\n" +
		"patches: [{patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: apps.pipeline}, data: {patched: yes}}'}]\n")
	names, has, _ := componentsOf(t, Release{Version: "9", Kustomization: "example"}, a)
	if !slices.Equal(names, []string{"katib", "pipelines"}) || len(has["katib"]) != 2 || len(has["pipelines"]) != 1 {
		t.Errorf("components are %v", has)
	}
}

func TestFoldersBelongToComponentsByTheirCommonNames(t *testing.T) {
	for folder, want := range map[string]string{
		"common/istio-cni-1-24/istio-install/base": "istio", "common/istio-1-9/cluster-local-gateway/base": "knative",
		"common/istio/kubeflow-istio-resources/base": "kubeflow", "experimental/seaweedfs/istio": "pipelines",
		"applications/hub/overlays/model-catalog": "model-registry", "apps/mpi-job/upstream/overlays/kubeflow": "training",
		"contrib/bentoml/base": "bentoml", "https://github.com/kubeflow/katib/manifests/v1beta1?ref=v0.18.0": "katib",
		"https://example.com/files/extra.yaml": "extra", "../patches/more.yaml": "patches",
	} {
		if got := componentAt(folder); got != want {
			t.Errorf("%s belongs to %s, want %s", folder, got, want)
		}
	}
}
