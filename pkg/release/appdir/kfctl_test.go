package appdir

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// A directory of kfctl: the KfDef with its status, a kustomization for each application, and the cache.
const kfctlDirectory = `
-- app.yaml --
apiVersion: kfdef.apps.kubeflow.org/VERSION
kind: KfDef
metadata:
  name: my-kubeflow
  namespace: kubeflow
  clusterName: KubeTestCluster
  annotations: {kfctl.kubeflow.io/force-delete: "false"}
spec:
  applications:
  - name: kubeflow-apps
    kustomizeConfig: {repoRef: {name: manifests, path: stacks/kubernetes}}
  - name: extra
    kustomizeConfig: {repoRef: {name: manifests, path: extra}}
  repos:
  - {name: manifests, uri: archive}
  version: v1.2-branch
status:
  conditions: [{type: Available, status: "True"}]
  reposCache: [{name: manifests, localPath: '".cache/manifests/manifests-1.2.0"'}]
-- kustomize/kubeflow-apps/kustomization.yaml --
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../../.cache/manifests/manifests-1.2.0/stacks/kubernetes]
patchesStrategicMerge: [mine.yaml]
-- kustomize/kubeflow-apps/mine.yaml --
{apiVersion: v1, kind: ConfigMap, metadata: {name: apps, namespace: kubeflow}, data: {mine: "yes"}}
`

const kfctlArchive = `
-- stacks/kubernetes/kustomization.yaml --
resources: [apps.yaml]
-- stacks/kubernetes/apps.yaml --
{apiVersion: v1, kind: ConfigMap, metadata: {name: apps, namespace: kubeflow}, data: {theirs: "yes"}}
-- extra/kustomization.yaml --
resources: [extra.yaml]
-- extra/extra.yaml --
{apiVersion: v1, kind: ConfigMap, metadata: {name: extra}}
`

func TestADirectoryOfKfctlIsRenderedWithTheUsersChanges(t *testing.T) {
	for name, version := range map[string]string{"cached": "v1", "not cached": "v1beta1"} {
		root := t.TempDir()
		unpack(t, root, strings.Replace(kfctlDirectory, "VERSION", version, 1))
		where := ".cache/manifests/manifests-1.2.0"
		if name == "not cached" {
			where = "archive"
		}
		unpack(t, filepath.Join(root, where), kfctlArchive)
		d := open(t, root)
		if d.KfDef != "app.yaml" || d.Empty() {
			t.Fatalf("%s: KfDef %q", name, d.KfDef)
		}
		got, err := Render(t.Context(), []*Dir{d}, release.RenderOptions{CacheDir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		content, err := encode(got.Objects())
		if err != nil || !strings.Contains(string(content), "mine: \"yes\"") || !strings.Contains(string(content), "theirs: \"yes\"") || len(got.Components) != 2 {
			t.Errorf("%s: %v\n%s", name, err, content)
		}
		if extra := got.Components[1].Objects[0]; extra.GetNamespace() != "kubeflow" || got.Namespace != "kubeflow" {
			t.Errorf("%s: %v in %q", name, extra, got.Namespace)
		}
		_, err = Build(t.Context(), d, Request{Want: Config{Build: mini}})
		mustFail(t, err, "was made by kfctl")
	}
}

func TestAChangeThatDoesNotBuildFallsBackToTheKfDef(t *testing.T) {
	root := t.TempDir()
	unpack(t, root, strings.Replace(kfctlDirectory, "VERSION", "v1", 1))
	unpack(t, filepath.Join(root, ".cache/manifests/manifests-1.2.0"), kfctlArchive)
	unpack(t, root, "-- kustomize/kubeflow-apps/kustomization.yaml --\nresources: [../../.cache/manifests/manifests-1.1.0/stacks/kubernetes]\n")
	got, err := Render(t.Context(), []*Dir{open(t, root)}, release.RenderOptions{CacheDir: t.TempDir()})
	if err != nil || len(got.Components[0].Objects) != 2 { // with the Namespace, as with kfctl
		t.Fatalf("%v, %v", got, err)
	}
	if !strings.Contains(strings.Join(got.Warnings, "\n"), "kustomize/kubeflow-apps cannot be built today") {
		t.Errorf("warnings are %q", got.Warnings)
	}
}
