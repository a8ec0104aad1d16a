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
)

func TestDownloadedReleasesRenderWithoutANetwork(t *testing.T) {
	source := t.TempDir()
	packed(t, source, "github.com/kubeflow/community-distribution/archive/refs/tags/v1.9.0.tar.gz", made(resources(t, "1.9.0")))
	packed(t, source, "github.com/kubeflow/community-distribution/archive/refs/tags/26.09.tar.gz", made(resources(t, "1.8.1")))
	server := httptest.NewServer(http.FileServer(http.Dir(source)))
	defer server.Close()
	folder := filepath.Join(t.TempDir(), "mirror")
	got, err := Download(t.Context(), folder, []string{"1.9.0", "v26.09"}, RenderOptions{Mirror: server.URL, CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"github.com/kubeflow/community-distribution/archive/refs/tags/26.09.tar.gz", "github.com/kubeflow/community-distribution/archive/refs/tags/v1.9.0.tar.gz"}
	if !slices.Equal(got.Files, want) {
		t.Errorf("files are %v", got.Files)
	}
	for _, name := range []string{"1.9.0", "26.09"} {
		o := RenderOptions{Mirror: folder, CacheDir: t.TempDir(), HTTP: &http.Client{Transport: refuse{}}}
		again, err := Render(t.Context(), Input{Release: name}, o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		i := slices.IndexFunc(got.Releases, func(r *Rendered) bool { return r.Release.Version == name })
		if counts(again) != counts(got.Releases[i]) || again.Pins[0].Hash != got.Releases[i].Pins[0].Hash {
			t.Errorf("%s renders to %s, was %s", name, counts(again), counts(got.Releases[i]))
		}
	}
}

func TestADownloadListsTheImagesOfAllItsReleases(t *testing.T) {
	source, folder := t.TempDir(), t.TempDir()
	for tag, image := range map[string]string{"30.01": "example.com/b:1", "30.02": "example.com/a:1"} {
		a := made([]string{"apps/katib"})
		a.Files["apps/katib/cm.yaml"] = []byte("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: '" + image + "'}, {name: d, image: 'example.com/both:2'}]}\n")
		packed(t, source, "github.com/kubeflow/community-distribution/archive/refs/tags/"+tag+".tar.gz", a)
	}
	if _, err := Download(t.Context(), folder, []string{"30.01", "30.02"}, RenderOptions{Mirror: source, CacheDir: t.TempDir()}); err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile(filepath.Join(folder, ImagesFile))
	if err != nil || string(list) != "example.com/a:1\nexample.com/b:1\nexample.com/both:2\n" {
		t.Errorf("the list is %q, %v", list, err)
	}
}

func TestADownloadWithAWrongHashIsNotKept(t *testing.T) {
	source, folder := t.TempDir(), t.TempDir()
	packed(t, source, "github.com/kubeflow/community-distribution/archive/refs/tags/26.03.tar.gz", made([]string{"apps/katib"}))
	_, err := Download(t.Context(), folder, []string{"26.03"}, RenderOptions{Mirror: source, CacheDir: t.TempDir()})
	var input *problem.Error
	if !errors.As(err, &input) || !strings.Contains(err.Error(), "not the one that was pinned") {
		t.Errorf("error is %v", err)
	}
	if left, _ := os.ReadDir(folder); len(left) > 0 {
		t.Errorf("the folder holds %v", left)
	}
	if _, err := Download(t.Context(), folder, []string{"26.03"}, RenderOptions{Mirror: folder}); err == nil {
		t.Error("a mirror is filled from itself")
	}
}
