package fixes

import (
	"context"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/faultproxy"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/sandboxtest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/lock"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/state"
)

// A killer ends a process at a write that it requests, either before the server hears of it or after the server did it. For the
// cluster a process is dead that it hears nothing from any more: every later request is cut off.
type killer struct {
	moment
	mu   sync.Mutex
	seen int
	dead bool
}

// A moment is when a process is killed.
type moment struct {
	at  int // writes before it
	did bool
}

func (k *killer) fault(w http.ResponseWriter, r *http.Request, pass http.Handler) {
	if k.kills(r) {
		if k.did {
			pass.ServeHTTP(httptest.NewRecorder(), r)
		}
		panic(http.ErrAbortHandler)
	}
	if k.isDead() {
		panic(http.ErrAbortHandler)
	}
	pass.ServeHTTP(w, r)
}

// kills reports whether this is the request.
func (k *killer) kills(r *http.Request) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.dead || !isWrite(r) {
		return false
	}
	k.seen++
	k.dead = k.seen > k.at
	return k.dead
}

func isWrite(r *http.Request) bool {
	return r.Method != http.MethodGet && r.URL.Query().Get("dryRun") == "" && !strings.Contains(r.URL.Path, "authorization.k8s.io")
}

func (k *killer) isDead() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.dead
}

// atEveryWrite kills what do does at its writes, before the server hears of one or after it did it, and calls back after each. It returns
// at how many such moments it could have been killed.
func (w *world) atEveryWrite(before func(), do func(*cluster.Client), after func(moment)) int {
	w.Helper()
	proxy := faultproxy.Start(w.T, kubeconfig)
	for n := 0; ; n += 3 { // each third moment, before and after the write in turn: a run that is cut off tries for seconds to give its Lease back
		k := &killer{moment: moment{at: n / 2, did: n%2 == 1}}
		proxy.Clear()
		before()
		client := sandboxtest.Connect(w.T, proxy.Kubeconfig)
		proxy.Add(faultproxy.Rule{Do: k.fault})
		do(client)
		if !k.isDead() {
			return n
		}
		w.endHolder()
		after(k.moment)
		if w.Failed() {
			return n
		}
	}
}

// endHolder deletes the Lease of a run that was killed. The process of a real one has ended, and the next run sees that at once; here it is
// this process, for which the next run would wait.
func (w *world) endHolder() {
	w.Helper()
	err := w.client.Kube.CoordinationV1().Leases(state.Namespace).Delete(context.Background(), lock.LeaseName, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		w.Fatal(err)
	}
}

// everything are checks whose fixes change, create, delete, replace and restart objects.
func everything() []*doctor.Check {
	return []*doctor.Check{
		does("first", sets("a", "good"), creates("b", "new"), deletes("c"), restarts("d")),
		does("second", setsSecret("s", "Z29vZA=="), deletes("e")),
	}
}

func (w *world) resetEverything() {
	w.reset(value("a", "bad"), value("c", "bad"), deployment("d"), secret("s", "YmFk"), value("e", "bad"))
}

func TestAFixKilledAtAnyWriteIsUndone(t *testing.T) {
	w := worldOf(t)
	w.resetEverything()
	before := w.contents()
	n := w.atEveryWrite(w.resetEverything, func(c *cluster.Client) { _, _ = w.fix(c, nil, everything()...) }, func(k moment) {
		w.undoneTo(before, k)
	})
	t.Logf("killed at each third of %d moments", n)
	if n < 20 {
		t.Errorf("only %d moments were tried", n)
	}
}

func TestAFixKilledAtAnyWriteIsFinishedByTheNextAndUndone(t *testing.T) {
	w := worldOf(t)
	w.resetEverything()
	before := w.contents()
	n := w.atEveryWrite(w.resetEverything, func(c *cluster.Client) { _, _ = w.fix(c, nil, everything()...) }, func(k moment) {
		if r, err := w.fix(w.client, nil, everything()...); err != nil || r.Summary.Error > 0 {
			t.Errorf("%+v: the next fix ended with %+v, %v", k, r.Summary, err)
		}
		w.oneEntryPerChange(k)
		w.undoneTo(before, k)
	})
	t.Logf("killed at each third of %d moments", n)
}

func TestAnUndoKilledAtAnyWriteIsFinishedByTheNext(t *testing.T) {
	w := worldOf(t)
	w.resetEverything()
	before := w.contents()
	fixed := func() {
		w.resetEverything()
		if _, err := w.fix(w.client, nil, everything()...); err != nil {
			t.Fatal(err)
		}
	}
	n := w.atEveryWrite(fixed, func(c *cluster.Client) { _, _ = w.undo(c) }, func(k moment) {
		w.undoneTo(before, k)
	})
	t.Logf("killed at each third of %d moments", n)
	if n < 12 {
		t.Errorf("only %d moments were tried", n)
	}
}

// undoneTo undoes what there is to undo, and compares with what there was at first.
func (w *world) undoneTo(before map[string]string, k moment) {
	w.Helper()
	runs, err := Runs(w.ctx, w.client)
	if err != nil {
		w.Fatal(err)
	}
	if len(runs) > 0 { // it was killed before there was a record: nothing was changed
		u, err := w.undo(w.client)
		if err != nil || !u.Whole() {
			w.Errorf("killed at %+v: the undo is %+v, %v", k, u, err)
		}
	}
	if got := w.contents(); !sameContents(got, before) {
		w.Errorf("killed at %+v: after the undo there is %v, at first %v", k, got, before)
	}
}

func (w *world) oneEntryPerChange(k moment) {
	w.Helper()
	var names []string
	for _, s := range w.lastRun().Steps {
		names = append(names, s.About.Name)
	}
	if slices.Sort(names); !slices.Equal(names, []string{"a", "b", "c", "d", "e", "s"}) {
		w.Errorf("killed at %+v: the record has steps for %v", k, names)
	}
}

func sameContents(a, b map[string]string) bool { return maps.Equal(a, b) }

func TestWhatAKilledFixDidNotWriteIsNotRevertedWhereAnotherClientDidIt(t *testing.T) {
	w := worldOf(t)
	w.reset(value("a", "bad"))
	proxy := faultproxy.Start(t, kubeconfig)
	k := &killer{moment: moment{at: 3}} // after the Lease, what says that no older records are left, and the record
	proxy.Add(faultproxy.Rule{Do: k.fault})
	_, _ = w.fix(sandboxtest.Connect(t, proxy.Kubeconfig), nil, does("update", sets("a", "good")))
	if !k.isDead() || w.values()["a"] != "bad" {
		t.Fatalf("it was not killed before its change: %v", w.values())
	}
	w.write(value("a", "good"))
	w.undoes([]string{"a untouched"}, []string{"a=good"})
}

// An outage lets nothing reach the server for a while from a write on, as when it is stopped and started again: the write itself is
// lost, or only its answer is.
type outage struct {
	moment
	length time.Duration
	mu     sync.Mutex
	seen   int
	until  time.Time
}

func (o *outage) fault(w http.ResponseWriter, r *http.Request, pass http.Handler) {
	begins, down := o.state(r)
	if begins && o.did {
		pass.ServeHTTP(httptest.NewRecorder(), r)
	}
	if begins || down {
		panic(http.ErrAbortHandler)
	}
	pass.ServeHTTP(w, r)
}

// state reports whether the outage begins with this request, and whether it lasts.
func (o *outage) state(r *http.Request) (begins, down bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if isWrite(r) && o.until.IsZero() {
		if o.seen++; o.seen > o.at {
			o.until = time.Now().Add(o.length)
			return true, true
		}
	}
	return false, time.Now().Before(o.until)
}

// TestAFixAndItsUndoSurviveAnOutageOfTheServer stops the server at ten seeded moments of a fix, and again of its undo. The next fix and
// the next undo complete what was interrupted, once the server is back.
func TestAFixAndItsUndoSurviveAnOutageOfTheServer(t *testing.T) {
	w := worldOf(t)
	proxy := faultproxy.Start(t, kubeconfig)
	w.resetEverything()
	before := w.contents()
	const seed = 15
	random := rand.New(rand.NewPCG(seed, seed))
	for range 10 {
		fixing := &outage{moment: moment{random.IntN(14), random.IntN(2) == 1}, length: time.Duration(random.IntN(1500)) * time.Millisecond}
		undoing := &outage{moment: moment{random.IntN(9), random.IntN(2) == 1}, length: time.Duration(random.IntN(1500)) * time.Millisecond}
		w.resetEverything()
		proxy.Clear()
		client := sandboxtest.Connect(t, proxy.Kubeconfig)
		proxy.Add(faultproxy.Rule{Do: fixing.fault})
		_, cut := w.fix(client, nil, everything()...)
		if r, err := w.fix(w.client, nil, everything()...); err != nil || r.Summary.Error > 0 {
			t.Errorf("%+v: the next fix ends with %+v, %v", fixing.moment, r.Summary, err)
		}
		w.oneEntryPerChange(fixing.moment)
		proxy.Clear()
		client = sandboxtest.Connect(t, proxy.Kubeconfig)
		proxy.Add(faultproxy.Rule{Do: undoing.fault})
		_, undoCut := w.undo(client)
		t.Logf("fix: %+v for %s, %v; undo: %+v for %s, %v", fixing.moment, fixing.length, cut, undoing.moment, undoing.length, undoCut)
		w.undoneTo(before, undoing.moment)
	}
}
