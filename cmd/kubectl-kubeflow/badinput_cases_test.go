package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"strings"
	"testing"
)

type badInputGroup struct {
	title string
	cases []badInput
}

func badInputs(t *testing.T) []badInputGroup {
	return []badInputGroup{
		{"Commands, flags and names", badFlags()},
		{"KfDefs", badKfDefs()},
		{"Kustomizations", badKustomizations()},
		{"Rendered YAML and standard input", badYAML()},
		{"Archives and mirrors", badArchives(t)},
		{"URLs", badAddresses()},
		{"Clusters and credentials", badClusters()},
	}
}

func badFlags() []badInput {
	return []badInput{
		{what: "an unknown command", args: "instal"},
		{what: "an unknown flag", args: "install --relase 26.03"},
		{what: "a flag without its value", args: "install --release"},
		{what: "an unexpected argument", args: "install 26.03"},
		{what: "an unknown release", args: "install -r 9.9 --mirror .", files: map[string]string{"x": "x"}},
		{what: "a release that is a path", args: "install -r ../x --mirror .", files: map[string]string{"x": "x"}},
		{what: "a release and a file", args: "install -r 26.03 -f kfdef.yaml"},
		{what: "a name that is a path", args: "install --name ../escape"},
		{what: "a name with capitals", args: "install --name Kubeflow"},
		{what: "a name of 26 characters", args: "install --name abcdefghijklmnopqrstuvwxyz"},
		{what: "an unknown component", args: "install -r mini --component pipelins"},
		{what: "an unknown component to skip", args: "install -r mini --skip dex"},
		{what: "an unknown --adapt mode", args: "install --adapt gke"},
		{what: "an unknown --dry-run mode", args: "install --dry-run maybe"},
		{what: "an unknown output format", args: "install -o table"},
		{what: "a timeout of zero", args: "install --timeout 0s"},
		{what: "a duration without a unit", args: "install --timeout 30"},
		{what: "a number for a boolean flag", args: "install --wait=2"},
		{what: "an unknown --color mode", args: "install --color pink"},
		{what: "conflicting ways to expose", args: "expose --lb --port-forward"},
		{what: "a DNS label with capitals", args: "expose --lb --dns-label OurKubeflow"},
		{what: "a DNS label on an internal address", args: "expose --lb --internal --dns-label ourkubeflow"},
		{what: "an invalid IP address", args: "expose --lb --ip 20.1.2"},
		{what: "a host without a domain", args: "expose --lb --host kubeflow"},
		{what: "an annotation without a value", args: "expose --lb --annotate owner"},
		{what: "an unknown certificate issuer", args: "expose --lb --tls=verisign"},
		{what: "two sources of certificates", args: "expose --lb --tls --tls-secret ours"},
		{what: "a certificate without waiting for it", args: "expose --lb --tls --wait=false"},
		{what: "a flag that needs --lb", args: "expose --tls"},
		{what: "an e-mail address without Let's Encrypt", args: "expose --lb --tls --email us@example.com"},
		{what: "an invalid request timeout", args: "install -r mini --request-timeout soon"},
	}
}

// aKfDef has one application in the repository beside it, changed by old and new.
func aKfDef(changes ...string) map[string]string {
	const text = `apiVersion: kfdef.apps.kubeflow.org/v1
kind: KfDef
metadata: {name: kubeflow, namespace: kubeflow}
spec:
  applications:
  - name: app
    kustomizeConfig: {repoRef: {name: manifests, path: app}}
  repos:
  - {name: manifests, uri: repo}
`
	return map[string]string{
		"kfdef.yaml":                       strings.NewReplacer(changes...).Replace(text),
		"repo/app/base/kustomization.yaml": "resources: [cm.yaml]\n",
		"repo/app/base/cm.yaml":            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n",
	}
}

func badKfDefs() []badInput {
	const app = "  - name: app\n    kustomizeConfig: {repoRef: {name: manifests, path: app}}\n"
	cases := []badInput{
		{what: "version v1alpha1", files: aKfDef("/v1\n", "/v1alpha1\n")},
		{what: "an unknown version", files: aKfDef("/v1\n", "/v7\n")},
		{what: "kind KfUpgrade", files: aKfDef("kind: KfDef", "kind: KfUpgrade")},
		{what: "no applications", files: aKfDef(app, "")},
		{what: "an application without a name", files: aKfDef("- name: app\n    kus", "- kus")},
		{what: "a duplicate application", files: aKfDef(app, app+app)},
		{what: "an application without a repoRef", files: aKfDef("    kustomizeConfig: {repoRef: {name: manifests, path: app}}\n", "")},
		{what: "a repository that is not listed", files: aKfDef("repoRef: {name: manifests", "repoRef: {name: mainfests")},
		{what: "a repository without a uri", files: aKfDef(", uri: repo", "")},
		{what: "a missing repository", files: aKfDef("uri: repo", "uri: rep")},
		{what: "a path outside the repository", files: aKfDef("path: app", "path: ../../etc")},
		{what: "a missing path", files: aKfDef("path: app", "path: ap")},
		{what: "an overlay outside the repository", files: aKfDef("path: app}", "path: app}, overlays: [../../../x]")},
		{what: "a kfctl plugin", files: aKfDef("  repos", "  plugins: [{kind: KfAwsPlugin, metadata: {name: aws}}]\n  repos")},
		{what: "a list instead of a map", files: aKfDef("{repoRef: {name: manifests, path: app}}", "[]")},
		{what: "another object in the file", files: aKfDef("  - {name: manifests, uri: repo}\n", "  - {name: manifests, uri: repo}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: x}\n")},
		{what: "a tab", files: aKfDef("  repos", "\trepos")},
	}
	for i := range cases {
		cases[i].args = "install -f kfdef.yaml"
	}
	return cases
}

func badKustomizations() []badInput {
	const cm = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
	one := func(what, kustomization string, more ...string) badInput {
		files := map[string]string{"k/kustomization.yaml": kustomization}
		for i := 0; i+1 < len(more); i += 2 {
			files["k/"+more[i]] = more[i+1]
		}
		return badInput{what: what, args: "install -f k", files: files}
	}
	plugin := "\n- |-\n  apiVersion: x/v1\n  kind: Seer\n  metadata:\n    name: s\n    annotations:\n      config.kubernetes.io/function: |\n        "
	return []badInput{
		one("a missing resource", "resources: [deploy.yaml]"),
		one("a base without a kustomization", "resources: [base]", "base/cm.yaml", cm),
		one("a cycle", "resources: [base]", "base/kustomization.yaml", "resources: [..]"),
		one("truncated YAML", "resources: [a"),
		one("an empty kustomization", "# to be written"),
		one("a misspelled field", "resource: [cm.yaml]", "cm.yaml", cm),
		one("text instead of a list", "resources: cm.yaml", "cm.yaml", cm),
		one("an unexpected kind", "apiVersion: apps/v1\nkind: Deployment"),
		one("a duplicate object", "resources: [a.yaml, b.yaml]", "a.yaml", cm, "b.yaml", cm),
		one("a patch without a target", "resources: [a.yaml]\npatches: [{path: p.yaml}]", "a.yaml", cm, "p.yaml", strings.Replace(cm, "x", "y", 1)),
		one("a resource that is not an object", "resources: [a.yaml]", "a.yaml", "hello: world"),
		one("a resource that is not YAML", "resources: [a.yaml]", "a.yaml", "a: b\n c: d"),
		one("a Helm chart", "helmCharts: [{name: x, repo: 'https://charts.example.org'}]"),
		one("an exec generator", "generators:"+plugin+"exec: {path: /bin/true}"),
		one("a container transformer", "transformers:"+plugin+"container: {image: seer}"),
		one("a repository that is not on github.com", "resources: ['https://gitlab.com/o/r//x?ref=v1']"),
		one("a repository over ssh", "resources: ['ssh://git@example.org/o/r//x?ref=v1']"),
		one("a repository with a git@ address", "resources: ['git@example.org:o/r.git']"),
		one("a reference outside its repository", "resources: ['https://github.com/o/r//../../x?ref=v1']"),
		{what: "a kustomization on standard input", args: "install -f -", stdin: "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"},
	}
}

func badYAML() []badInput {
	one := func(what, content string) badInput {
		return badInput{what: what, args: "install -f all.yaml", files: map[string]string{"all.yaml": content}}
	}
	return []badInput{
		{what: "a missing file", args: "install -f all.yaml"},
		{what: "an empty file name", args: "install --filename="},
		{what: "an empty folder", args: "install -f k", files: map[string]string{"k/README": "x"}},
		{what: "empty standard input", args: "install -f -"},
		one("only comments", "# to be written\n---\n"),
		one("truncated YAML", "apiVersion: v1\nkind: {"),
		one("no kind", "apiVersion: v1\nmetadata: {name: x}\n"),
		one("no apiVersion", "kind: ConfigMap\nmetadata: {name: x}\n"),
		one("no name", "apiVersion: v1\nkind: ConfigMap\n"),
		one("an invalid second document", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n---\nkind: [\n"),
		one("a list that holds no objects", "- a\n- b\n"),
		one("plain text", "hello"),
		one("a List whose items are not objects", "apiVersion: v1\nkind: List\nitems: [1]\n"),
		one("a name that is a number", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 7}\n"),
		one("truncated JSON", `{"apiVersion": "v1", "kind": "ConfigMap"`),
		one("a web page", "<!DOCTYPE html><html></html>"),
		one("a zip archive", "PK\x03\x04\x00\x00"),
	}
}

func badArchives(t *testing.T) []badInput {
	entry := func(name string, kind byte, link, content string) tar.Header {
		return tar.Header{Name: name, Typeflag: kind, Linkname: link, Mode: 0o644, PAXRecords: map[string]string{"c": content}}
	}
	good := entry("top/app/base/kustomization.yaml", tar.TypeReg, "", "resources: []")
	one := func(what string, content string) badInput {
		files := aKfDef("uri: repo", "uri: repo.tar.gz")
		files["repo.tar.gz"] = content
		return badInput{what: what, args: "install -f kfdef.yaml", files: files}
	}
	pinned := "github.com/kubeflow/community-distribution/archive/refs/tags/26.03.tar.gz"
	return []badInput{
		one("an entry outside the archive (..)", tarball(t, good, entry("top/../../etc/passwd", tar.TypeReg, "", "x"))),
		one("an entry with an absolute path", tarball(t, good, entry("/etc/passwd", tar.TypeReg, "", "x"))),
		one("a symbolic link outside the archive", tarball(t, good, entry("top/l", tar.TypeSymlink, "/etc", ""))),
		one("a hard link", tarball(t, good, entry("top/l", tar.TypeLink, "top/app", ""))),
		one("a device", tarball(t, good, entry("top/d", tar.TypeBlock, "", ""))),
		one("a duplicate entry", tarball(t, good, good)),
		one("a file that is also a folder", tarball(t, good, entry("top/app", tar.TypeReg, "", "x"))),
		one("a decompression bomb", tarball(t, good, entry("top/zeros", tar.TypeReg, "", strings.Repeat("\x00", 40<<20)))),
		one("a kustomization that reads local files", tarball(t, entry("top/app/base/kustomization.yaml", tar.TypeReg, "", "configMapGenerator: [{name: x, files: [/etc/hosts]}]"))),
		one("a truncated archive", tarball(t, good)[:60]),
		one("an empty archive", tarball(t)),
		one("a file that is not an archive", "hello"),
		one("a web page", "<html><body>Sign in</body></html>"),
		one("a zip archive", "PK\x03\x04\x00\x00"),
		{what: "a missing mirror", args: "install -r 26.03 --mirror nowhere"},
		{what: "a mirror that is a file", args: "install -r 26.03 --mirror m", files: map[string]string{"m": "x"}},
		{what: "a mirror without the archive", args: "install -r 26.03 --mirror m", files: map[string]string{"m/README": "x"}},
		{what: "a modified archive", args: "install -r 26.03 --mirror m", files: map[string]string{"m/" + pinned: tarball(t, good)}},
		{what: "an archive with other contents", args: "install -r 26.03 --mirror m --skip-verify", files: map[string]string{"m/" + pinned: tarball(t, good)}},
	}
}

func tarball(t *testing.T, entries ...tar.Header) string {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	w := tar.NewWriter(zipped)
	for _, header := range entries {
		content := header.PAXRecords["c"]
		header.PAXRecords, header.Size = nil, int64(len(content))
		err := w.WriteHeader(&header)
		if err == nil {
			_, err = w.Write([]byte(content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func badAddresses() []badInput {
	return []badInput{
		{what: "a URL that is not found", args: "install -f http://archives.example/gone.yaml"},
		{what: "an archive that is not found", args: "install -f http://archives.example/gone.tar.gz"},
		{what: "a sign-in page instead of YAML", args: "install -f http://archives.example/page.yaml"},
		{what: "a sign-in page instead of an archive", args: "install -f http://archives.example/page.tar.gz"},
		{what: "a URL that requires a password", args: "install -f http://archives.example/private.yaml", code: 1},
		{what: "a redirect loop", args: "install -f http://archives.example/circle.yaml", code: 1},
		{what: "a redirect to a file: URL", args: "install -f http://archives.example/away.yaml", code: 1},
		{what: "an empty response", args: "install -f http://archives.example/empty.yaml"},
		{what: "an unsupported protocol", args: "install -f ftp://archives.example/all.yaml"},
		{what: "a URL without a host", args: "install -f https:///all.yaml"},
		{what: "an invalid URL", args: "install -f https://[::1/all.yaml"},
		{what: "a folder on another site", args: "install -f https://gitlab.com/o/r//x?ref=v1"},
		{what: "a repository without a name", args: "install -f https://github.com/kubeflow"},
		{what: "a repository over ssh", args: "install -f git@example.org:o/r.git"},
		{what: "a file: URL that does not exist", args: "install -f file:///nowhere/all.yaml"},
		{what: "a missing file of a release", args: "install -f https://raw.githubusercontent.com/kubeflow/manifests/v1.2.0/kfdef/gone.yaml --mirror m", files: map[string]string{
			"m/x": "x"}},
	}
}

func badClusters() []badInput {
	config := func(content string) (map[string]string, map[string]string) {
		return map[string]string{"config": content}, map[string]string{"KUBECONFIG": "config"}
	}
	broken, env := config("clusters: [")
	none, _ := config("apiVersion: v1\nkind: Config\n")
	return []badInput{
		{what: "no kubeconfig", args: "install -r mini", env: map[string]string{"KUBECONFIG": "absent"}, code: 1},
		{what: "a --kubeconfig file that does not exist", args: "install -r mini --kubeconfig absent", code: 1},
		{what: "a kubeconfig that is not YAML", args: "install -r mini", files: broken, env: env, code: 1},
		{what: "a kubeconfig without a context", args: "install -r mini", files: none, env: env, code: 1},
		{what: "an unknown context", args: "install -r mini --context prod", code: 1},
		{what: "a context whose cluster is missing", args: "install -r mini --context half", code: 1},
		{what: "a cluster that does not answer", args: "install -r mini", code: 1},
		{what: "an invalid server address", args: "install -r mini --server ::", code: 1},
		{what: "a missing CA certificate file", args: "install -r mini --certificate-authority absent", code: 1},
	}
}
