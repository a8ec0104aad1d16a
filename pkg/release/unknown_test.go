package release

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
)

// packed writes an archive to its path in a mirror, with one top folder like GitHub's archives.
func packed(t *testing.T, mirror, place string, a *archive.Archive) {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	w := tar.NewWriter(zipped)
	for name, content := range a.Files {
		if err := w.WriteHeader(&tar.Header{Name: "top/" + name, Mode: 0o644, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(mirror, filepath.FromSlash(place))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestAnUnknownReleaseIsFoundByItsTagWithAWarning(t *testing.T) {
	mirror := t.TempDir()
	paths := append(resources(t, "1.8.1"), "apps/quantum/upstream/overlays/kubeflow")
	packed(t, mirror, "github.com/kubeflow/manifests/archive/refs/tags/v1.8.0.tar.gz", made(paths))
	packed(t, mirror, "github.com/kubeflow/community-distribution/archive/refs/tags/26.09.tar.gz", made(paths))
	for name, version := range map[string]string{"v1.8.0": "1.8.0", "1.8.0": "1.8.0", "26.09": "26.09", "v26.09": "26.09"} {
		got, err := Render(t.Context(), Input{Release: name}, RenderOptions{Mirror: mirror, CacheDir: t.TempDir(), Only: []string{"pipelines", "quantum"}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		warnings := strings.Join(got.Warnings, "\n")
		if got.Release.Version != version || !strings.Contains(warnings, "Kubeflow "+version+" is not a known release") || !strings.Contains(warnings, "its hash is "+got.Pins[0].Hash) {
			t.Errorf("%s: %s, warnings %q", name, got.Release, warnings)
		}
		if counts(got) != "cert-manager=2 istio=3 namespaces=1 kubeflow=2 pipelines=1 quantum=1" {
			t.Errorf("%s: components are %s, %q", name, counts(got), got.Notes)
		}
	}
}

func TestAReleaseWithoutAPinRendersWithAWarningAboutItsHash(t *testing.T) {
	mirror := t.TempDir()
	packed(t, mirror, "github.com/kubeflow/community-distribution/archive/refs/tags/v1.9.0.tar.gz", made(resources(t, "1.9.0")))
	got, err := Render(t.Context(), Input{Release: "1.9.0"}, RenderOptions{Mirror: mirror, CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Warnings) != 1 || !strings.HasPrefix(got.Warnings[0], "no hash is known for") || !strings.Contains(got.Warnings[0], got.Pins[0].Hash) {
		t.Errorf("warnings are %q", got.Warnings)
	}
}

func TestAnInvalidReleaseSuggestsTheNearest(t *testing.T) {
	mirror := t.TempDir()
	for name, want := range map[string]string{
		"26.3": "Did you mean 26.03?", "v26.3": "Did you mean 26.03?", "1.3": "Did you mean 1.3.1?", "1.10.3": "Did you mean 1.10.2?",
		"26.09": "Did you mean 26.03?", "bananas": "Choose one of 1.2.0", "": "Choose one of 1.2.0", "../../etc": "Choose one of", "9.9": "tag of github.com/kubeflow",
	} {
		_, err := Render(t.Context(), Input{Release: name}, RenderOptions{Mirror: mirror, CacheDir: t.TempDir()})
		var input *problem.Error
		if !errors.As(err, &input) || !strings.Contains(input.Next, want) || !strings.Contains(input.What, "there is no Kubeflow release") {
			t.Errorf("%q gets %v, want %q", name, err, want)
		}
	}
}

func TestAMissingMirrorIsNotReportedAsAnUnknownRelease(t *testing.T) {
	_, err := Render(t.Context(), Input{Release: "26.09"}, RenderOptions{Mirror: filepath.Join(t.TempDir(), "none"), CacheDir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "is not a folder") {
		t.Errorf("error is %v", err)
	}
}
