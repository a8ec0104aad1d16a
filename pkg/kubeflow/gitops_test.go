package kubeflow_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/sandboxtest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
)

// waved builds a release in a format, and returns its directory, the objects of each wave and the plan without waves.
func waved(t *testing.T, version, format string) (dir string, waves [][]*unstructured.Unstructured, decided *kubeflow.InstallPlan) {
	t.Helper()
	source := kubeflow.Source{Release: version, Mirror: kubetest.Mirror(t), SkipVerify: true, CacheDir: t.TempDir()}
	dir = filepath.Join(t.TempDir(), "kf")
	built, err := kubeflow.Build(t.Context(), kubeflow.BuildOptions{Source: source, Dir: dir, Format: format})
	if err != nil {
		t.Fatal(err)
	}
	if decided, err = kubeflow.PrepareManifests(t.Context(), kubeflow.InstallOptions{Source: source}); err != nil {
		t.Fatal(err)
	}
	for n := range built.Waves {
		var objects []*unstructured.Unstructured
		files, err := fs.Glob(os.DirFS(waveFolder(dir, n)), "*.yaml")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if name == "kustomization.yaml" {
				continue
			}
			content, err := os.ReadFile(filepath.Join(waveFolder(dir, n), name))
			if err != nil {
				t.Fatal(err)
			}
			objects = append(objects, kubetest.Objects(t, content)...)
		}
		waves = append(waves, objects)
	}
	return dir, waves, decided
}

func waveFolder(dir string, n int) string {
	return filepath.Join(dir, "gitops", fmt.Sprintf("wave-%02d", n))
}

// plain returns an object as JSON has it, whatever types its numbers had.
func plain(t *testing.T, o *unstructured.Unstructured) (out any) {
	t.Helper()
	content, err := json.Marshal(o.Object)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestWavesHoldEachObjectAfterItsGates builds every release of the mirror into waves.
func TestWavesHoldEachObjectAfterItsGates(t *testing.T) {
	versions := []string{"mini"}
	if !testing.Short() {
		for version := range signInOf {
			versions = append(versions, version)
		}
	}
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			dir, waves, decided := waved(t, version, "plain")
			at := map[cluster.Ref]int{}
			all := map[cluster.Ref]*unstructured.Unstructured{}
			for n, objects := range waves {
				for _, o := range objects {
					ref := cluster.RefOf(o).Identity()
					if all[ref] != nil {
						t.Errorf("%s is there twice", ref)
					}
					at[ref], all[ref] = n, o
				}
			}
			behind := workloadsBehind(all)
			for _, g := range decided.Objects {
				ref := g.Ref().Identity()
				if all[ref] == nil || !reflect.DeepEqual(plain(t, all[ref]), plain(t, g.Object)) {
					t.Errorf("%s is not as an install applies it: %v", ref, all[ref])
				}
				for _, opener := range openersOf(g.Gates, all, behind) {
					if at[opener] >= at[ref] {
						t.Errorf("%s is in wave %d, and what opens its gate, %s, in wave %d", ref, at[ref], opener, at[opener])
					}
				}
			}
			if len(all) != len(decided.Objects) {
				t.Errorf("%d objects, want %d", len(all), len(decided.Objects))
			}
			t.Logf("%d objects in %d waves", len(all), len(waves))
			if testing.Short() {
				return
			}
			for n, objects := range waves {
				out, err := exec.Command(sandboxtest.Kubectl("1.35"), "kustomize", waveFolder(dir, n)).Output()
				if built := kubetest.Objects(t, out); err != nil || len(built) != len(objects) {
					t.Errorf("kubectl kustomize of wave %d: %v, %d objects, want %d", n, err, len(built), len(objects))
				}
			}
		})
	}
}

// openersOf returns the objects that must be ready before gates open: what they name, and the workloads behind their Services.
func openersOf(gates []plan.Gate, all map[cluster.Ref]*unstructured.Unstructured, behind map[cluster.Ref][]cluster.Ref) []cluster.Ref {
	var out []cluster.Ref
	for _, gate := range gates {
		for _, ref := range []cluster.Ref{gate.On, gate.Service} {
			if all[ref] != nil {
				out = append(out, ref)
			}
		}
		out = append(out, behind[gate.Service]...)
	}
	return out
}

// workloadsBehind returns the workloads that each Service selects.
func workloadsBehind(all map[cluster.Ref]*unstructured.Unstructured) map[cluster.Ref][]cluster.Ref {
	behind := map[cluster.Ref][]cluster.Ref{}
	for service, s := range all {
		chosen, _, _ := unstructured.NestedStringMap(s.Object, "spec", "selector")
		if service.Kind != "Service" || len(chosen) == 0 {
			continue
		}
		selector := labels.SelectorFromSet(chosen)
		for ref, o := range all {
			if ref.Namespace != service.Namespace {
				continue
			}
			if template := plan.PodTemplate(o); template != nil && selector.Matches(labels.Set(plan.TemplateLabels(template))) {
				behind[service] = append(behind[service], ref)
			}
		}
	}
	return behind
}

func TestWavesOfArgoCDAndFlux(t *testing.T) {
	t.Run("argocd has each wave in an annotation and one Application", func(t *testing.T) {
		dir, waves, _ := waved(t, "mini", "argocd")
		for n, objects := range waves {
			for _, o := range objects {
				if got := o.GetAnnotations()["argocd.argoproj.io/sync-wave"]; got != fmt.Sprint(n) {
					t.Errorf("%s has sync wave %q, want %d", cluster.RefOf(o), got, n)
				}
			}
		}
		application := read(t, dir, "application.yaml")[0]
		if options := kube.Texts(application.Object, "spec", "syncPolicy", "syncOptions"); !slices.Contains(options, "ServerSideApply=true") || !slices.Contains(options, "SkipDryRunOnMissingResource=true") {
			t.Errorf("sync options are %v", options)
		}
		if folders := kube.Texts(read(t, dir, "kustomization.yaml")[0].Object, "resources"); len(folders) != len(waves) {
			t.Errorf("the kustomization has %v, want %d waves", folders, len(waves))
		}
	})
	t.Run("flux has a Kustomization for each wave that waits for the one before", func(t *testing.T) {
		dir, waves, _ := waved(t, "mini", "flux")
		objects := read(t, dir, "flux.yaml")
		if len(objects) != len(waves)+1 || objects[0].GetKind() != "GitRepository" {
			t.Fatalf("%d objects, want a GitRepository and %d Kustomizations", len(objects), len(waves))
		}
		for n, o := range objects[1:] {
			var names []string
			for _, on := range kube.Items(o.Object, "spec", "dependsOn") {
				names = append(names, kube.Text(on, "name"))
			}
			if n > 0 && !slices.Equal(names, []string{objects[n].GetName()}) || n == 0 && names != nil {
				t.Errorf("%s depends on %v", o.GetName(), names)
			}
			if folder := kube.Text(o.Object, "spec", "path"); folder != "./"+path.Join("gitops", fmt.Sprintf("wave-%02d", n)) || kube.Map(o.Object, "spec")["wait"] != true {
				t.Errorf("%s has path %s", o.GetName(), folder)
			}
		}
	})
}

func read(t *testing.T, dir, name string) []*unstructured.Unstructured {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "gitops", name))
	if err != nil {
		t.Fatal(err)
	}
	return kubetest.Objects(t, content)
}

// TestWavesBecomeReadyOneAfterAnother applies each wave once with kubectl, and waits for it before the next.
func TestWavesBecomeReadyOneAfterAnother(t *testing.T) {
	sandboxtest.Needed(t)
	for _, version := range []string{"mini", "26.03"} {
		t.Run(version, func(t *testing.T) {
			config, stop := sandboxtest.Start("--kubernetes=1.35")
			defer stop()
			kubectl := func(args ...string) {
				t.Helper()
				out, err := exec.Command(sandboxtest.Kubectl("1.35"), append([]string{"--kubeconfig=" + config}, args...)...).CombinedOutput()
				if err != nil {
					t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out[max(0, len(out)-4000):])
				}
			}
			dir, waves, _ := waved(t, version, "plain")
			for n, objects := range waves {
				began := time.Now()
				kubectl("apply", "--server-side", "-k", waveFolder(dir, n))
				for _, o := range objects {
					if args := readiness(o); args != nil {
						kubectl(append(args, "--timeout=180s")...)
					}
				}
				t.Logf("wave %d: %d objects, %s", n, len(objects), time.Since(began).Round(time.Second))
			}
		})
	}
}

// readiness returns kubectl's arguments to wait for an object, nil for one that is ready when it exists; in the sandbox, where no
// cert-manager runs, that is also a Certificate.
func readiness(o *unstructured.Unstructured) []string {
	name := strings.ToLower(o.GetKind()) + "." + o.GroupVersionKind().Group + "/" + o.GetName()
	wait := func(condition string) []string {
		args := []string{"wait", "--for=" + condition, name}
		if o.GetNamespace() != "" {
			args = append(args, "-n", o.GetNamespace())
		}
		return args
	}
	switch o.GetKind() {
	case "Deployment", "StatefulSet", "DaemonSet":
		return []string{"rollout", "status", name, "-n", o.GetNamespace()}
	case "CustomResourceDefinition":
		return wait("condition=Established")
	case "APIService":
		return wait("condition=Available")
	case "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration":
		content, err := o.MarshalJSON()
		if err == nil && bytes.Contains(content, []byte("cert-manager.io/inject-")) {
			return wait("jsonpath={.webhooks[0].clientConfig.caBundle}")
		}
	}
	return nil
}

// The files for Argo CD and Flux are committed, so that the address of the repository in them names nobody.
func TestGitOpsFilesHoldNoCredentials(t *testing.T) {
	for _, format := range []string{"argocd", "flux"} {
		dir := filepath.Join(t.TempDir(), "kf")
		options := kubeflow.BuildOptions{Source: kubeflow.Source{Release: "mini", CacheDir: t.TempDir()}, Dir: dir, Format: format}
		if _, err := kubeflow.Build(t.Context(), options); err != nil {
			t.Fatal(err)
		}
		config := filepath.Join(dir, "kubeflow.yaml")
		content, err := os.ReadFile(config)
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.Replace(string(content), "format: "+format, "format: "+format+"\n  repository: https://u:hUnter2xPlanted@git.example.com/o/r.git", 1)
		if err := os.WriteFile(config, []byte(changed), 0o600); err != nil || changed == string(content) {
			t.Fatal(err, changed)
		}
		var told []string
		options = kubeflow.BuildOptions{Dir: dir, Notify: func(n kubeflow.Notice) { told = append(told, n.Text) }}
		if _, err := kubeflow.Build(t.Context(), options); err != nil {
			t.Fatal(err)
		}
		address := false
		err = filepath.WalkDir(filepath.Join(dir, "gitops"), func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := os.ReadFile(name)
			address = address || bytes.Contains(content, []byte("https://git.example.com/o/r.git"))
			if bytes.Contains(content, []byte("hUnter2xPlanted")) {
				t.Errorf("%s has the password of the repository", name)
			}
			return err
		})
		if all := strings.Join(told, "\n"); err != nil || !address || strings.Contains(all, "hUnter2xPlanted") || !strings.Contains(all, "without its credentials") {
			t.Errorf("%s: %v, %v, told %s", format, err, address, all)
		}
	}
}
