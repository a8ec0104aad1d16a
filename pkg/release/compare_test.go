package release

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/sandboxtest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/kfdef"
)

// The oracle of these tests is kubectl kustomize, of a kubectl whose kustomize reads the release as its authors' did:
// 5.7.1 (in kubectl 1.35) for the releases with an example, 4.0.5 (in kubectl 1.21) for the applications of a KfDef.
//
// What differs on purpose: a namespace on a cluster-scoped object is dropped, and an object of a KfDef without a namespace gets the KfDef's.
// What differs by kustomize 4.0.5 alone: it writes an empty line too many into folded text, here into an example in a ConfigMap of Knative.

func TestEveryReleaseRendersAsKubectlKustomizeBuildsIt(t *testing.T) {
	for version, count := range map[string]int{"1.8.1": 634, "1.9.1": 569, "1.10.2": 611, "26.03": 675} {
		t.Run(version, func(t *testing.T) {
			o := offline(t)
			release, err := Find(version)
			if err != nil {
				t.Fatal(err)
			}
			got, _ := rendered(t, Input{Release: version}, o)
			r := newRendering(t.Context(), o)
			folder := extracted(t, r, release.Source.URL)
			localRemotes(t, r, folder)
			want := kubectlKustomize(t, "1.35", filepath.Join(folder, release.Kustomization))
			setNamespaces([]RenderedComponent{{Objects: want}}, "")
			if len(want) != count {
				t.Errorf("kubectl kustomize builds %d objects, want %d", len(want), count)
			}
			sameObjects(t, got.Objects(), want)
		})
	}
}

// TestTheKfDefsOf120RenderAsKubectlKustomizeBuildsThem includes the guide's two for Azure. kfctl 1.2.0 itself builds 389 and 521 objects of these.
func TestTheKfDefsOf120RenderAsKubectlKustomizeBuildsThem(t *testing.T) {
	o := offline(t)
	release, err := Find("1.2.0")
	if err != nil {
		t.Fatal(err)
	}
	folder := extracted(t, newRendering(t.Context(), o), release.Source.URL)
	withoutNumberedPaths(t, folder)
	built := map[string][]*unstructured.Unstructured{} // by application folder: the KfDefs share them
	for name, count := range map[string]int{"k8s_istio": 565, "istio_dex": 575, "azure": 389, "azure_aad": 521} {
		t.Run(name, func(t *testing.T) {
			file := "kfdef/kfctl_" + name + ".v1.2.0.yaml"
			content, _ := fileOf120(t, o, file)
			def, err := kfdef.Parse(file, content)
			if err != nil {
				t.Fatal(err)
			}
			moved := strings.ReplaceAll(string(content), def.Spec.Repos[0].URI, "https://github.com/kubeflow/manifests/archive/v1.2.0.tar.gz")
			got, _ := rendered(t, Input{File: "-", Stdin: strings.NewReader(moved)}, o)
			var want []RenderedComponent
			for _, app := range def.Spec.Applications {
				from := app.KustomizeConfig.RepoRef.Path
				if built[from] == nil {
					built[from] = kubectlKustomize(t, "1.21", filepath.Join(folder, from))
				}
				component := RenderedComponent{Name: app.Name}
				for _, object := range built[from] {
					component.Objects = append(component.Objects, object.DeepCopy())
				}
				want = append(want, component)
			}
			setNamespaces(want, "kubeflow")
			for _, object := range want[0].Objects { // kfctl labelled the KfDef's namespace, which it created
				if object.GetName() == "kubeflow" {
					object.SetLabels(map[string]string{"control-plane": "kubeflow", "istio-injection": "enabled", "katib-metricscollector-injection": "enabled"})
				}
			}
			if all := (&Rendered{Components: want}).Objects(); len(all) != count {
				t.Errorf("kubectl kustomize builds %d objects, want %d", len(all), count)
			}
			for _, component := range want { // what kfctl left, and this program resolves
				for _, object := range component.Objects {
					content := strings.NewReplacer("$(namespace)", "kubeflow", "$(clusterDomain)", "cluster.local").Replace(yamlText(t, object))
					if object.GetKind() == "VirtualService" {
						if err := object.UnmarshalJSON([]byte(content)); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
			for i, component := range want { // an object can be in several of them
				foldedAlike(got.Components[i].Objects)
				foldedAlike(component.Objects)
				sameObjects(t, got.Components[i].Objects, component.Objects)
			}
		})
	}
}

// sameObjects compares two renderings, object by object.
func sameObjects(t *testing.T, got, want []*unstructured.Unstructured) {
	t.Helper()
	left := map[string]string{}
	for _, object := range want {
		left[identity(object)] = yamlText(t, object)
	}
	for _, object := range got {
		id := identity(object)
		switch text, ok := left[id]; {
		case !ok:
			t.Errorf("%s is only in this program's render", id)
		case text != yamlText(t, object):
			t.Errorf("%s differs\n got: %.3000s\nwant: %.3000s", id, yamlText(t, object), text)
		}
		delete(left, id)
	}
	for id := range left {
		t.Errorf("%s is only in kubectl's render", id)
	}
}

// foldedAlike leaves empty lines out of the folded example of Knative.
func foldedAlike(objects []*unstructured.Unstructured) {
	for _, object := range objects {
		if object.GetKind() != "ConfigMap" || object.GetName() != "config-observability" {
			continue
		}
		if data, ok := object.Object["data"].(map[string]any); ok {
			data["_example"] = strings.ReplaceAll(data["_example"].(string), "\n\n", "\n")
		}
	}
}

// kubectlKustomize builds a folder on disk with the real program.
func kubectlKustomize(t *testing.T, kubernetes, folder string) []*unstructured.Unstructured {
	t.Helper()
	cmd := exec.Command(sandboxtest.Kubectl(kubernetes), "kustomize", "--load-restrictor", "LoadRestrictionsNone", folder)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	content, err := cmd.Output()
	if err != nil {
		t.Fatalf("kubectl kustomize %s: %v\n%s", folder, err, stderr.String())
	}
	var objects []*unstructured.Unstructured
	documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects
		}
		object := &unstructured.Unstructured{}
		if err == nil {
			document, err = yaml.ToJSON(document)
		}
		if err == nil {
			err = object.UnmarshalJSON(document)
		}
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, object)
	}
}

// extracted writes an archive of the mirror to a temporary folder.
func extracted(t *testing.T, r *rendering, address string) string {
	t.Helper()
	a, err := r.fetch(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	write(t, folder, a)
	return folder
}

func write(t *testing.T, folder string, a *archive.Archive) {
	t.Helper()
	for name, content := range a.Files {
		file := filepath.Join(folder, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, content, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range a.Links {
		relative, err := filepath.Rel(path.Dir(link), target)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(folder, link)), 0o755)
		}
		if err == nil {
			err = os.Symlink(relative, filepath.Join(folder, link))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

var argo = regexp.MustCompile(`https://github.com/argoproj/argo-workflows/(\S+)\?ref=(v[0-9.]+)`)

// localRemotes lets the kustomizations refer to copies of what they take from the internet.
func localRemotes(t *testing.T, r *rendering, folder string) {
	t.Helper()
	edit(t, folder, "kustomization.yaml", func(file string, content []byte) []byte {
		content = argo.ReplaceAllFunc(content, func(reference []byte) []byte {
			parts := argo.FindSubmatch(reference)
			to := filepath.Join(folder, "argo-"+string(parts[2]))
			if _, err := os.Stat(to); err != nil {
				a, err := r.fetch(t.Context(), fmt.Sprintf("https://github.com/argoproj/argo-workflows/archive/%s.tar.gz", parts[2]))
				if err != nil {
					return reference // not a part of the example
				}
				write(t, to, a)
			}
			relative, err := filepath.Rel(filepath.Dir(file), filepath.Join(to, string(parts[1])))
			if err != nil {
				t.Fatal(err)
			}
			return []byte(relative)
		})
		const jobset = "https://github.com/kubernetes-sigs/jobset/releases/download/v0.10.1/manifests.yaml"
		if bytes.Contains(content, []byte(jobset)) {
			a, err := r.fetch(t.Context(), jobset)
			if err == nil {
				err = os.WriteFile(filepath.Join(filepath.Dir(file), "jobset.yaml"), a.Files[a.Single], 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
			content = bytes.ReplaceAll(content, []byte(jobset), []byte("jobset.yaml"))
		}
		return content
	})
}

// withoutNumberedPaths removes what only kustomize 3 read: field paths with a number, which selected nothing.
func withoutNumberedPaths(t *testing.T, folder string) {
	t.Helper()
	entry := regexp.MustCompile(`(?m)^- path: \S*/\d+(/\S*)?\n(  .*\n?)*`)
	edit(t, folder, "params.yaml", func(_ string, content []byte) []byte {
		if bytes.HasPrefix(bytes.TrimSpace(content), []byte("varReference:")) {
			content = entry.ReplaceAll(content, nil)
		}
		return content
	})
}

// edit rewrites the files of that name.
func edit(t *testing.T, folder, name string, change func(file string, content []byte) []byte) {
	t.Helper()
	var files []string
	err := filepath.WalkDir(folder, func(file string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() && entry.Name() == name {
			files = append(files, file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(file, change(file, content), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
