package kustomization

import (
	"errors"
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
)

// FuzzParseRemote parses any text as a reference: a remote one is an http address and a folder inside it,
// or is rejected with a one-line error.
func FuzzParseRemote(f *testing.F) {
	for _, reference := range []string{
		"https://github.com/o/r//a/b?ref=v1", "https://github.com/o/r.git?ref=main", "github.com/o/r/a?ref=v1", "git@github.com:o/r.git//x?ref=v1",
		"git::https://gitlab.com/o/r//x", "ssh://git@github.com/o/r//x?ref=1", "gh:o/r", "https://example.org/a.yaml", "https://github.com/o/r//../../x?ref=v1",
		"../base", "https://", "https://github.com/o", "ftp://x/a.yaml", "https://github.com/o/r?ref=../../x", "https://github.com/o/r?ref=v",
	} {
		f.Add(reference)
	}
	f.Fuzz(func(t *testing.T, reference string) {
		remote, ok, err := ParseRemote(reference)
		if !ok || err != nil {
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Fatalf("not one line: %v", err)
			}
			return
		}
		u, err := url.Parse(remote.URL)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			t.Fatalf("%q leads to %q: %v", reference, remote.URL, err)
		}
		if clean := path.Clean(remote.Path); remote.Path != "" && (path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../")) {
			t.Fatalf("%q leads outside its repository, to %q", reference, remote.Path)
		}
	})
}

// FuzzBuild builds any kustomization, with a file and a base beside it, without fetching: the result is
// objects or a one-line error, it requests only allowed addresses, and it never runs a program.
func FuzzBuild(f *testing.F) {
	for _, content := range []string{
		"resources: [cm.yaml, base]\nnamePrefix: a-\n", "resources: [..]\n", "resources: [nope]\n", "resources: [https://github.com/o/r//x?ref=v1]\n",
		"bases: [base]\npatches: [{path: cm.yaml}]\n", "configMapGenerator: [{name: x, files: [k=cm.yaml], envs: [cm.yaml]}]\n",
		"helmCharts: [{name: x}]\n", "generators: [cm.yaml]\n", "vars: [{name: A, objref: {kind: ConfigMap, name: x, apiVersion: v1}}]\n",
		"replacements: [{path: cm.yaml}]\n", "kind: Component\n", "resources: a\n", "a: &a [*a]\n", "components: [base]\ncrds: [cm.yaml]\nopenapi: {path: cm.yaml}\n",
	} {
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content string) {
		tree := &Tree{Fetch: func(Remote) (*archive.Archive, error) { return nil, errors.New("nothing is fetched here") }}
		folder := tree.Mount("a", archived(map[string]string{
			"app/kustomization.yaml": content, "app/cm.yaml": configMap("x"),
			"app/base/kustomization.yaml": "resources: [cm.yaml]\n", "app/base/cm.yaml": configMap("y"),
		}))
		_, err := tree.Build(t.Context(), folder+"/app")
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Fatalf("not one line: %q", err)
		}
	})
}
