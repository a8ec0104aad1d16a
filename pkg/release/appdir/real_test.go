package appdir

import (
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// TestADirectoryRendersTheObjectsOfARealRelease builds the real archives into directories, and builds those again.
func TestADirectoryRendersTheObjectsOfARealRelease(t *testing.T) {
	mirror := kubetest.Mirror(t)
	for version, want := range map[string]int{"1.2.0": 565, "26.03": 675} {
		o := release.RenderOptions{SkipVerify: true, CacheDir: t.TempDir()}
		d := open(t, filepath.Join(t.TempDir(), "kf"))
		if _, err := Build(t.Context(), d, Request{Want: Config{Build: Source{Release: version, Mirror: mirror}}, Options: o}); err != nil {
			t.Fatal(err)
		}
		if err := d.Save(); err != nil {
			t.Fatal(err)
		}
		o.CacheDir = t.TempDir() // and no mirror: nothing is fetched
		o.SkipVerify = false
		got, err := Render(t.Context(), []*Dir{open(t, d.Path)}, o)
		if err != nil {
			t.Fatal(err)
		}
		o.Mirror, o.SkipVerify = mirror, true
		direct, err := release.Render(t.Context(), release.Input{Release: version}, o)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(got.Objects()); n != want || !equality.Semantic.DeepEqual(byName(got), byName(direct)) {
			t.Errorf("%s: %d objects, want %d, the same as without a directory", version, n, want)
		}
	}
}

// byName returns the objects of each component without their order, which does not matter to an install.
func byName(r *release.Rendered) map[string]map[string]any {
	out := map[string]map[string]any{}
	for _, c := range r.Components {
		out[c.Name] = map[string]any{}
		for _, o := range c.Objects {
			out[c.Name][o.GroupVersionKind().String()+"/"+o.GetNamespace()+"/"+o.GetName()] = o.Object
		}
	}
	return out
}
