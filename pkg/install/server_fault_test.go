//go:build unix

package install

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/faultproxy"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/sandboxtest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/apply"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// through returns a client that reaches the shared sandbox through a fault-injecting proxy.
func through(t *testing.T) (*cluster.Client, *faultproxy.Proxy) {
	t.Helper()
	live(t)
	proxy := faultproxy.Start(t, sharedFile)
	return sandboxtest.Connect(t, proxy.Kubeconfig), proxy
}

// TestTemporaryServerFaultsDoNotFailAnInstall installs the whole shop while the server has one kind of fault. Each install
// succeeds without too many retries.
func TestTemporaryServerFaultsDoNotFailAnInstall(t *testing.T) {
	for _, c := range []struct {
		name  string
		rules []faultproxy.Rule
	}{
		{"unavailable", []faultproxy.Rule{{Verb: "PATCH", Times: 12, Do: faultproxy.Answer(503, "the server is currently unable to handle the request")}}},
		{"internal-error", []faultproxy.Rule{{Verb: "PATCH", After: 2, Times: 8, Do: faultproxy.Answer(500, "etcdserver: leader changed")}}},
		{"gateway-timeout", []faultproxy.Rule{{Verb: "PATCH", Times: 8, Do: faultproxy.Answer(504, "request did not complete within the allotted timeout")}}},
		{"too-many", []faultproxy.Rule{{Verb: "PATCH", Times: 6, Do: faultproxy.AnswerLater(429, "too many requests, please try again later", 1)}}},
		{"too-many-unsaid", []faultproxy.Rule{{Verb: "PATCH", Times: 12, Do: faultproxy.Answer(429, "slow down")}}},
		{"reset-before", []faultproxy.Rule{{Verb: "PATCH", After: 2, Times: 6, Do: faultproxy.Reset}}},
		{"reset-midway", []faultproxy.Rule{{Verb: "PATCH", Times: 8, Do: faultproxy.ResetMidway}}},
		{"reset-reads", []faultproxy.Rule{{Verb: "GET", Path: "/apis/reset-reads.example.org", Times: 2, Do: faultproxy.ResetMidway}}},
		{"garbage", []faultproxy.Rule{{Verb: "PATCH", After: 1, Times: 4, Do: faultproxy.Garbage(502)}}},
		{"slow", []faultproxy.Rule{{Verb: "PATCH", Times: 10, Do: faultproxy.Slow(2 * time.Second)}, {Verb: "GET", Times: 10, Do: faultproxy.Slow(time.Second)}}},
		{"watches-dropped", []faultproxy.Rule{{Verb: "WATCH", Times: 6, Do: faultproxy.Drop(300)}}},
		{"watches-expired", []faultproxy.Rule{{Verb: "WATCH", Times: 4, Do: faultproxy.Expired}}},
		{"watches-refused", []faultproxy.Rule{{Verb: "WATCH", Times: 4, Do: faultproxy.Answer(503, "no")}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client, proxy := through(t)
			yaml := strings.ReplaceAll(shop, "shop", c.name)
			plan := planOf(t, client, c.name, yaml)
			proxy.Add(c.rules...)
			result, err := runUnlocked(t, client, plan, apply.Options{Timeout: 2 * time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			want := 0
			for _, r := range c.rules {
				want += r.Times
			}
			if hits := proxy.Hits(); hits == 0 || result.Applied != len(plan.Objects) {
				t.Errorf("the fault occurred %d times of %d, %d of %d objects were applied", hits, want, result.Applied, len(plan.Objects))
			}
			if sent, most := proxy.Count("PATCH", ""), len(plan.Objects)+want+6; sent > most {
				t.Errorf("%d writes were sent, want at most %d: one for each object, one more for each fault, and the inventory's", sent, most)
			}
			again, err := runUnlocked(t, client, planOf(t, client, c.name, yaml), apply.Options{Timeout: time.Minute})
			if err != nil || again.Changed != 0 {
				t.Errorf("the next run changed %+v, %v", again, err)
			}
		})
	}
}

// runUnlocked runs a plan without a Lease: these tests share a cluster and run in parallel.
func runUnlocked(t *testing.T, client *cluster.Client, p *plan.Plan, o apply.Options) (*apply.Result, error) {
	t.Helper()
	o.Locked = true
	return apply.Run(t.Context(), client, p, o)
}

// planOf returns the plan of one component.
func planOf(t *testing.T, client *cluster.Client, name, yaml string) *plan.Plan {
	t.Helper()
	client.Forget()
	return planFor(t, client, plan.Request{Name: name, Components: []release.RenderedComponent{{Name: "app", Objects: kubetest.Objects(t, []byte(yaml))}}})
}

// TestPermanentServerFaultsFailAnInstallWithTheirReason injects a permanent fault in the middle of an install.
func TestPermanentServerFaultsFailAnInstallWithTheirReason(t *testing.T) {
	for _, c := range []struct {
		name       string
		rule       faultproxy.Rule
		what, next string
	}{
		{"expired", faultproxy.Rule{After: 12, Do: faultproxy.Answer(401, "Unauthorized")}, "does not accept these credentials", "Sign in again"},
		{"expired-writes", faultproxy.Rule{Verb: "PATCH", After: 4, Do: faultproxy.Answer(401, "Unauthorized")}, "does not accept these credentials", "run the same command again"},
		{"expired-watches", faultproxy.Rule{Verb: "WATCH", Do: faultproxy.Answer(401, "Unauthorized")}, "does not accept these credentials", "Sign in again"},
		{"quota", faultproxy.Rule{Verb: "PATCH", Path: "/secrets/", Do: faultproxy.Answer(403, `secrets "till" is forbidden: exceeded quota: small, requested: secrets=1, used: secrets=0, limited: secrets=0`)}, "exceeded quota: small", "a quota, a policy or a webhook"},
		{"not-json", faultproxy.Rule{Verb: "PATCH", Path: "/namespaces/", After: 2, Do: faultproxy.NotJSON}, "json parse error", "to resume"},
		{"not-the-api", faultproxy.Rule{Verb: "PATCH", After: 3, Do: faultproxy.Garbage(200)}, "answers in its place", "which proxy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client, proxy := through(t)
			plan := planOf(t, client, c.name, strings.ReplaceAll(shop, "shop", c.name))
			proxy.Add(c.rule)
			_, err := runUnlocked(t, client, plan, apply.Options{Timeout: time.Minute})
			var failure *problem.Error
			if !errors.As(err, &failure) || !strings.Contains(failure.What, c.what) || !strings.Contains(failure.Next, c.next) {
				t.Fatalf("want a problem with %q and %q, got: %#v", c.what, c.next, err)
			}
			if errors.Is(err, context.DeadlineExceeded) {
				t.Error("the error was only reported after the timeout")
			}
		})
	}
}

func TestAnInstallWaitsWhileTheServerIsDown(t *testing.T) {
	t.Parallel()
	client, proxy := through(t)
	yaml := strings.ReplaceAll(shop, "shop", "gone")
	plan := planOf(t, client, "gone", yaml)
	var once sync.Once
	back := make(chan struct{})
	result, err := runUnlocked(t, client, plan, apply.Options{Timeout: 2 * time.Minute, Observe: func(e events.Event) {
		if _, ok := e.(events.ObjectApplied); ok {
			once.Do(func() {
				proxy.Down(true)
				time.AfterFunc(20*time.Second, func() { proxy.Down(false); close(back) })
			})
		}
	}})
	<-back
	if err != nil || result.Applied != len(plan.Objects) {
		t.Fatalf("%+v, %v", result, err)
	}
	if sent := proxy.Count("PATCH", ""); sent > 20*len(plan.Objects) {
		t.Errorf("%d writes were sent while the server was down", sent)
	}
}

func TestAnInstallLeavesNoGoroutinesRunning(t *testing.T) {
	client, proxy := through(t)
	yaml := strings.ReplaceAll(shop, "shop", "left")
	plan := planOf(t, client, "left", yaml)
	proxy.Add(faultproxy.Rule{Verb: "PATCH", After: 5, Do: faultproxy.Answer(503, "down")}, faultproxy.Rule{Verb: "WATCH", Times: 3, Do: faultproxy.Expired})
	_, err := runUnlocked(t, client, plan, apply.Options{Timeout: 8 * time.Second})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("want the deadline, got: %v", err)
	}
	for wait := 0; ; wait++ {
		left := ownGoroutines()
		if left == "" {
			return
		}
		if wait == 100 {
			t.Fatalf("still running:\n%s", left)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// ownGoroutines returns the goroutines that run the code of pkg/install, apart from tests.
func ownGoroutines() string {
	buffer := make([]byte, 1<<22)
	var own []string
	for _, stack := range strings.Split(string(buffer[:runtime.Stack(buffer, true)]), "\n\n") {
		if strings.Contains(stack, "/pkg/install/") && !strings.Contains(stack, "testing.tRunner") {
			own = append(own, stack)
		}
	}
	return strings.Join(own, "\n\n")
}
