//go:build unix

package install

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"syscall"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/faultproxy"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/sandboxtest"
)

// A killing says at which request an install is killed: either before the request reaches the server, or after the server
// has processed it and before the response reaches the install.
type killing struct {
	verb      string
	after     int // requests of this verb in this run before it
	processed bool
}

// TestAnInstallKilledAtTwelveMomentsIsFinishedByOneMoreRun kills installs of the real Kubeflow with SIGKILL: eight
// times anywhere in the 676 writes of applying (each run sends all of them again), twice while it reads, and twice
// while it prunes a component. One more run must lead to the same state as an install without interruptions.
func TestAnInstallKilledAtTwelveMomentsIsFinishedByOneMoreRun(t *testing.T) {
	sandboxtest.Needed(t)
	all := source{Release: "26.03", Mirror: kubetest.Mirror(t), Cache: t.TempDir()}
	fewer := all
	fewer.Skip = []string{"spark"}

	uninterrupted, stop := sandboxtest.Start("--kubernetes=1.35")
	defer stop()
	for _, s := range []source{all, fewer} {
		s.Kubeconfig = uninterrupted
		if err := s.install(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	want := appliedOn(t, uninterrupted)
	stop()

	interrupted, stopOther := sandboxtest.Start("--kubernetes=1.35")
	defer stopOther()
	proxy := faultproxy.Start(t, interrupted)
	all.Kubeconfig, fewer.Kubeconfig = proxy.Kubeconfig, proxy.Kubeconfig
	draw := rand.New(rand.NewPCG(26, 3))
	for i := range 10 {
		m := killing{verb: http.MethodPatch, after: draw.IntN(660), processed: draw.IntN(2) == 0}
		if i%6 == 2 {
			m.verb, m.after = http.MethodGet, draw.IntN(20)
		}
		killAt(t, all, proxy, m)
	}
	if err := all.install(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		killAt(t, fewer, proxy, killing{verb: http.MethodDelete, after: draw.IntN(4), processed: i != 1})
	}
	if err := fewer.install(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	mustEqualUninterrupted(t, want, interrupted)
}

// killAt starts an install and kills it at a moment.
func killAt(t *testing.T, s source, proxy *faultproxy.Proxy, m killing) {
	t.Helper()
	cmd := s.subprocess(t, installSourceVariable)
	var started sync.WaitGroup
	started.Add(1)
	kill := func() {
		started.Wait()
		_ = cmd.Process.Signal(syscall.SIGKILL)
	}
	proxy.Clear()
	proxy.Add(faultproxy.Rule{Verb: m.verb, After: m.after, Times: 1, Do: func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		if m.processed {
			faultproxy.Then(kill)(w, r, pass)
			return
		}
		kill()
		faultproxy.Reset(w, r, pass)
	}})
	defer proxy.Clear()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	started.Done()
	_ = cmd.Wait()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() {
		t.Fatalf("the install ended (%s) before it could be killed: %+v", cmd.ProcessState, m)
	}
	t.Logf("killed at %+v, after %d writes in all", m, proxy.Count(http.MethodPatch, ""))
}
