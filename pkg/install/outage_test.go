//go:build unix

package install

import (
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/faultproxy"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/sandboxtest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
)

// outage is how long the API server is away.
const outage = 2 * time.Second

// TestTheAPIServerStopsAndStartsMeanwhile takes the API server away at ten seeded moments of installs that change an installation, and
// at ten of uninstalls, and brings it back: all connections break, and new ones fail until then. A run that was writing continues by
// itself, and what it leads to is what an uninterrupted one leads to.
func TestTheAPIServerStopsAndStartsMeanwhile(t *testing.T) {
	sandboxtest.Needed(t)
	kubeconfig, stop := sandboxtest.Start("--kubernetes=1.35")
	defer stop()
	before := namesOn(t, kubeconfig)
	direct := source{Kubeconfig: kubeconfig, Release: "mini", Cache: t.TempDir()}
	fewer := direct
	fewer.Skip = []string{"pipelines"}
	mustDo := func(do func() error) {
		t.Helper()
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
	install := func(s source) func() error { return func() error { return s.install(t.Context(), nil) } }
	uninstall := func(s source) func() error {
		return func() error { return s.uninstall(t.Context(), func(events.Event) {}) }
	}
	mustDo(install(direct))
	want := appliedOn(t, kubeconfig)

	proxy := faultproxy.Start(t, kubeconfig)
	draw := rand.New(rand.NewPCG(15, 6))
	away := func(verb string, moments, within int, do func() error) {
		t.Helper()
		proxy.Clear()
		for range moments {
			proxy.Add(faultproxy.Rule{Verb: verb, After: draw.IntN(within), Times: 1, Do: func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
				go proxy.Down(true)
				time.AfterFunc(outage, func() { proxy.Down(false) })
				faultproxy.Reset(w, r, pass)
			}})
		}
		began := time.Now()
		if err := do(); err != nil {
			t.Errorf("with the server away at %d moments, the run ends with: %v", proxy.Hits(), err)
		}
		if proxy.Hits() < moments {
			t.Errorf("the server was away %d times, want %d: there were fewer than %d requests", proxy.Hits(), moments, within)
		}
		t.Logf("the server was away %d times, and it took %s", proxy.Hits(), time.Since(began).Round(time.Second))
	}
	through := func(s source) source {
		s.Kubeconfig = proxy.Kubeconfig
		return s
	}
	for range 5 {
		mustDo(install(fewer))
		away(http.MethodPatch, 2, 15, install(through(direct)))
	}
	mustEqualUninterrupted(t, want, kubeconfig)
	for range 2 {
		away(http.MethodDelete, 5, 60, uninstall(through(direct)))
		after := namesOn(t, kubeconfig)
		for deadline := time.Now().Add(time.Minute); !cmp.Equal(before, after) && time.Now().Before(deadline); after = namesOn(t, kubeconfig) {
			time.Sleep(time.Second) // Kubernetes still garbage-collects dependents
		}
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("the cluster is not as before the install (-before +after):\n%s", diff)
		}
		mustDo(install(direct))
	}
}
