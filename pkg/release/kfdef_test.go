package release

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// tree writes files below a new folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		full := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// rendered renders a file and lists the objects as KIND/NAMESPACE/NAME.
func rendered(t *testing.T, in Input, o RenderOptions) (*Rendered, []string) {
	t.Helper()
	if o.CacheDir == "" {
		o.CacheDir = t.TempDir()
	}
	got, err := Render(t.Context(), in, o)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, object := range got.Objects() {
		out = append(out, object.GetKind()+"/"+object.GetNamespace()+"/"+object.GetName())
	}
	slices.Sort(out)
	return got, out
}

const cm = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "

// kfdef writes a KfDef whose repository is the folder beside it, called manifests.
func kfdefOf(version, applications string) string {
	return "apiVersion: kfdef.apps.kubeflow.org/" + version + "\nkind: KfDef\nmetadata: {namespace: kubeflow}\nspec:\n  applications:\n" +
		applications + "  repos:\n  - {name: manifests, uri: manifests}\n"
}

func application(name, config string) string {
	return "  - name: " + name + "\n    kustomizeConfig: {repoRef: {name: manifests, path: " + name + "}" + config + "}\n"
}

func TestAKfDefWithStacksUsesItsFoldersUnchanged(t *testing.T) {
	for _, version := range []string{"v1", "v1beta1"} {
		root := tree(t, map[string]string{
			"kfdef.yaml":                        kfdefOf(version, application("crds", "")+application("kubeflow-apps", ", overlays: [none], parameters: [{name: a, value: changed}]")),
			"manifests/crds/kustomization.yaml": "resources: [all.yaml]\n",
			"manifests/crds/all.yaml": "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: profiles.x}\n" +
				"spec: {group: x, scope: Cluster, names: {kind: Profile}}\n",
			"manifests/kubeflow-apps/kustomization.yaml": "resources: [all.yaml]\nconfigMapGenerator: [{name: p, envs: [params.env]}]\ngeneratorOptions: {disableNameSuffixHash: true}\n",
			"manifests/kubeflow-apps/params.env":         "a=asis\n",
			"manifests/kubeflow-apps/all.yaml": cm + "own}\n---\n" + cm + "elsewhere, namespace: other}\n---\n" +
				"apiVersion: x/v1\nkind: Profile\nmetadata: {name: p}\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\n",
		})
		got, names := rendered(t, Input{File: filepath.Join(root, "kfdef.yaml")}, RenderOptions{})
		want := []string{"ClusterRole//r", "ConfigMap/kubeflow/own", "ConfigMap/kubeflow/p", "ConfigMap/other/elsewhere",
			"CustomResourceDefinition//profiles.x", "Namespace//kubeflow", "Profile//p"}
		if !slices.Equal(names, want) {
			t.Errorf("%s: objects are %v, want %v", version, names, want)
		}
		if got.Namespace != "kubeflow" || got.Components[0].Name != "crds" || got.Components[1].Name != "kubeflow-apps" {
			t.Errorf("%s: %+v", version, got)
		}
		for _, object := range got.Objects() {
			if object.GetName() == "p" && object.GetKind() == "ConfigMap" && object.Object["data"].(map[string]any)["a"] != "asis" {
				t.Errorf("%s: a parameter was filled in", version)
			}
			if labels := object.GetLabels(); object.GetKind() == "Namespace" && (labels["control-plane"] != "kubeflow" || labels["katib-metricscollector-injection"] != "enabled") {
				t.Errorf("%s: the namespace has the labels %v", version, labels)
			}
		}
	}
}

func TestAnOlderKfDefMergesOverlaysAndFillsInParameters(t *testing.T) {
	files := map[string]string{
		"kfdef.yaml": kfdefOf("v1", application("app", ", overlays: [istio, application], parameters: [{name: host, value: changed}, {name: empty, value: ''}]")),
		"manifests/app/base/kustomization.yaml": "namespace: kubeflow\nresources: [cm.yaml]\ncommonLabels: {layer: base}\n" +
			"configMapGenerator: [{name: parameters, env: params.env}]\ngeneratorOptions: {disableNameSuffixHash: true}\n" +
			"vars: [{name: host, objref: {apiVersion: v1, kind: ConfigMap, name: parameters}, fieldref: {fieldpath: data.host}}]\n" +
			"configurations: [params.yaml]\n",
		"manifests/app/base/params.yaml": "varReference:\n- path: data/0/url\n  kind: ConfigMap\n- path: data/url\n  kind: ConfigMap\n",
		"manifests/app/base/params.env":  "host=original\nempty=kept\nshared=base\n",
		"manifests/app/base/cm.yaml":     cm + "main}\ndata: {url: $(host)/x}\n",
		"manifests/app/overlays/istio/kustomization.yaml": "bases: [../../base]\nresources: [vs.yaml]\npatchesStrategicMerge: [patch.yaml]\n" +
			"configMapGenerator: [{name: parameters, behavior: merge, envs: [params.env]}]\n" +
			"vars: [{name: host, objref: {apiVersion: v1, kind: ConfigMap, name: parameters}, fieldref: {fieldpath: data.host}}]\n",
		"manifests/app/overlays/istio/params.env":               "shared=istio\n",
		"manifests/app/overlays/istio/vs.yaml":                  cm + "route}\n",
		"manifests/app/overlays/istio/patch.yaml":               cm + "main}\ndata: {patched: 'yes'}\n",
		"manifests/app/overlays/application/kustomization.yaml": "bases: [../../base]\nresources: [app.yaml]\ncommonLabels: {layer: application}\n",
		"manifests/app/overlays/application/app.yaml":           cm + "application}\n",
	}
	root := tree(t, files)
	got, names := rendered(t, Input{File: filepath.Join(root, "kfdef.yaml")}, RenderOptions{})
	want := []string{"ConfigMap/kubeflow/application", "ConfigMap/kubeflow/main", "ConfigMap/kubeflow/parameters", "ConfigMap/kubeflow/route", "Namespace//kubeflow"}
	if !slices.Equal(names, want) {
		t.Fatalf("objects are %v, want %v", names, want)
	}
	for _, object := range got.Objects() {
		data, _ := object.Object["data"].(map[string]any)
		switch object.GetName() {
		case "main":
			if data["url"] != "changed/x" || data["patched"] != "yes" || object.GetLabels()["layer"] != "application" {
				t.Errorf("main is %v", object.Object)
			}
		case "parameters":
			if data["host"] != "changed" || data["empty"] != "kept" || data["shared"] != "istio" {
				t.Errorf("parameters are %v", data)
			}
		}
	}
	if content, err := os.ReadFile(filepath.Join(root, "manifests/app/base/params.env")); err != nil || string(content) != files["manifests/app/base/params.env"] {
		t.Errorf("the repository was changed: %s", content)
	}
}

func TestAnInvalidKfDefIsExplained(t *testing.T) {
	good := application("app", "")
	for name, c := range map[string]struct{ content, says string }{
		"an old version":           {kfdefOf("v1alpha1", good), "v1alpha1"},
		"an unknown version":       {kfdefOf("v9", good), `apiVersion is "kfdef.apps.kubeflow.org/v9"`},
		"another kind":             {strings.Replace(kfdefOf("v1", good), "kind: KfDef", "kind: KfUpgrade", 1), `kind is "KfUpgrade"`},
		"no applications":          {kfdefOf("v1", ""), "lists no applications"},
		"an unnamed application":   {kfdefOf("v1", "  - kustomizeConfig: {}\n"), "application 1 has no name"},
		"no repoRef":               {kfdefOf("v1", "  - name: app\n"), "application app has no kustomizeConfig.repoRef"},
		"an application twice":     {kfdefOf("v1", good+good), "listed twice"},
		"an unknown repository":    {strings.Replace(kfdefOf("v1", good), "repoRef: {name: manifests", "repoRef: {name: other", 1), `repository "other"`},
		"a path out of it":         {strings.Replace(kfdefOf("v1", good), "path: app", "path: ../../etc", 1), "leads out"},
		"an absolute path":         {strings.Replace(kfdefOf("v1", good), "path: app", "path: /etc", 1), "leads out"},
		"an overlay out of it":     {kfdefOf("v1", application("app", ", overlays: [../../..]")), "leads out"},
		"no YAML":                  {"apiVersion: kfdef.apps.kubeflow.org/v1\n\tkind: KfDef\n", "document 1"},
		"a list where a map is":    {kfdefOf("v1", "  - name: app\n    kustomizeConfig: []\n"), "not a KfDef that can be read"},
		"a folder that is missing": {kfdefOf("v1", good), "no kustomization in app"},
		"a plugin":                 {kfdefOf("v1", good) + "  plugins: [{kind: KfAwsPlugin}]\n", "plugin KfAwsPlugin"},
		"other objects beside it":  {kfdefOf("v1", good) + "---\n" + cm + "x}\n", "KfDef and other objects"},
	} {
		t.Run(name, func(t *testing.T) {
			root := tree(t, map[string]string{"kfdef.yaml": c.content, "manifests/x": ""})
			_, err := Render(t.Context(), Input{File: filepath.Join(root, "kfdef.yaml")}, RenderOptions{CacheDir: t.TempDir()})
			var input *problem.Error
			if !errors.As(err, &input) || input.Next == "" || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error is %v, want %q and a next step", err, c.says)
			}
		})
	}
}

func TestAnUnwantedComponentMayBeBroken(t *testing.T) {
	root := tree(t, map[string]string{
		"kfdef.yaml":                                 kfdefOf("v1", application("kubeflow-apps", "")+application("missing", "")),
		"manifests/kubeflow-apps/cm.yaml":            cm + "x}\n",
		"manifests/kubeflow-apps/kustomization.yaml": "resources: [cm.yaml]\n",
	})
	in := Input{File: filepath.Join(root, "kfdef.yaml")}
	for _, o := range []RenderOptions{{Only: []string{"kubeflow-apps"}}, {Skip: []string{"missing"}}} {
		if got, _ := rendered(t, in, o); len(got.Components) != 1 {
			t.Errorf("components are %v", got.Components)
		}
	}
	for _, o := range []RenderOptions{{}, {Only: []string{"nothing"}}, {Skip: []string{"kubeflow-apps", "missing"}}} {
		var input *problem.Error
		if _, err := Render(t.Context(), in, o); !errors.As(err, &input) {
			t.Errorf("with %+v: %v", o, err)
		}
	}
}

func TestAnOlderKfDefSetsTheNamespacesOfItsApplications(t *testing.T) {
	def := kfdefOf("v1beta1", application("istio", ", parameters: [{name: namespace, value: istio-system}], overlays: [absent]")+application("own", "")+
		application("flat", ", overlays: [more]"))
	root := tree(t, map[string]string{
		"kfdef.yaml": strings.Replace(def, "metadata: {", "metadata: {name: my-kubeflow, ", 1) + "  secrets: [{name: password}]\n",
		"manifests/istio/base/kustomization.yaml":              "namespace: elsewhere\nresources: [cm.yaml]\n",
		"manifests/istio/base/cm.yaml":                         cm + "mesh, namespace: other}\n",
		"manifests/own/base/kustomization.yaml":                "resources: [cm.yaml]\nconfigMapGenerator: [{name: p, env: params.env}]\ngeneratorOptions: {disableNameSuffixHash: true}\n",
		"manifests/own/base/cm.yaml":                           cm + "own}\n",
		"manifests/own/base/params.env":                        "namespace=\nappName=x\n",
		"manifests/flat/kustomization.yaml":                    "resources: [cm.yaml]\nnamespace: stays\n",
		"manifests/flat/cm.yaml":                               cm + "flat}\n",
		"manifests/flat/overlays/more/kustomization.yaml":      "resources: []\n",
		"manifests/istio/overlays/present/kustomization.yaml":  "bases: [../../base]\n",
		"manifests/istio/overlays/present2/kustomization.yaml": "bases: [../../base]\n",
	})
	got, names := rendered(t, Input{File: filepath.Join(root, "kfdef.yaml")}, RenderOptions{})
	want := []string{"ConfigMap/istio-system/mesh", "ConfigMap/kubeflow/own", "ConfigMap/kubeflow/p", "ConfigMap/stays/flat", "Namespace//kubeflow"}
	if !slices.Equal(names, want) {
		t.Errorf("objects are %v, want %v", names, want)
	}
	for _, object := range got.Objects() {
		if data, _ := object.Object["data"].(map[string]any); object.GetName() == "p" && (data["namespace"] != "kubeflow" || data["appName"] != "my-kubeflow") {
			t.Errorf("the KfDef's own parameters are %v", data)
		}
	}
	for _, says := range []string{"secrets were for kfctl's plugins", "istio has no overlay absent", "flat has no base"} {
		if !strings.Contains(strings.Join(got.Warnings, "\n"), says) {
			t.Errorf("the warnings are %q, want one that says %q", got.Warnings, says)
		}
	}
}
