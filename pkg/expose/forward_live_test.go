package expose_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/portforward"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/probe"
)

// A load is many clients that ask for the page all the time, each on connections of its own.
type load struct {
	good, bad atomic.Int64
	longest   atomic.Int64 // nanoseconds
	clients   sync.WaitGroup
}

func (l *load) run(ctx context.Context, url string, clients int) {
	for range clients {
		l.clients.Go(func() {
			client := &http.Client{
				Timeout:       45 * time.Second,
				Transport:     &http.Transport{DisableKeepAlives: true},
				CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			}
			for ctx.Err() == nil {
				began := time.Now()
				err := ask(client, url)
				l.longest.Store(max(l.longest.Load(), int64(time.Since(began))))
				if err != nil {
					l.bad.Add(1)
				} else {
					l.good.Add(1)
				}
			}
		})
	}
}

func ask(client *http.Client, url string) error {
	response, err := client.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.ReadAll(response.Body)
	return err
}

// more waits until n more requests were answered.
func (l *load) more(t *testing.T, ctx context.Context, n int64) {
	t.Helper()
	want := l.good.Load() + n
	for l.good.Load() < want {
		select {
		case <-ctx.Done():
			t.Fatalf("no answers any more: %d good, %d interrupted", l.good.Load(), l.bad.Load())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func TestAForwarderSurvivesPodRestarts(t *testing.T) {
	onEach(t, func(t *testing.T, ctx context.Context, l *live) {
		const clients, kills, asked = 50, 2, 340 // three times as many are asked: before, between and after
		listeners, err := portforward.Listen("127.0.0.1", 0)
		if err != nil {
			t.Fatal(err)
		}
		var connected atomic.Int64
		forward := &portforward.Forwarder{Client: l.client, Gateway: l.look(t, ctx).Gateway, Notify: func(e portforward.Event) {
			if e.Connected != "" {
				connected.Add(1)
			}
		}}
		serving, interrupt := context.WithCancel(ctx)
		served := make(chan error, 1)
		go func() { served <- forward.Serve(serving, listeners) }()
		if answer := probe.Until(ctx, probe.Request{URL: portforward.LocalURL(listeners, false)}, 30*time.Second); answer.What != answers[l.shape] {
			t.Fatalf("%+v", answer)
		}

		var load load
		asking, stop := context.WithCancel(ctx)
		defer stop()
		load.run(asking, portforward.LocalURL(listeners, false), clients)
		for range kills {
			load.more(t, ctx, asked)
			err := l.client.Kube.CoreV1().Pods("istio-system").DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "app=istio-ingressgateway"})
			if err != nil {
				t.Fatal(err)
			}
		}
		load.more(t, ctx, asked)
		stop()
		load.clients.Wait()
		t.Logf("%d answered, %d interrupted, the longest took %s", load.good.Load(), load.bad.Load(), time.Duration(load.longest.Load()))
		if cut := load.bad.Load(); cut > clients*kills {
			t.Errorf("%d requests failed; only those on their way when a pod ends may", cut)
		}
		if connected.Load() < 1+kills {
			t.Errorf("connected %d times, to %d pods", connected.Load(), 1+kills)
		}

		interrupt()
		if err := <-served; err != nil {
			t.Errorf("an interrupt is not an error: %v", err)
		}
		if conn, err := net.Dial("tcp", listeners[0].Addr().String()); err == nil {
			conn.Close()
			t.Error("the port is still open")
		}
	})
}

func TestAnInterruptStopsAForwarderUnderLoad(t *testing.T) {
	onEach(t, func(t *testing.T, ctx context.Context, l *live) {
		listeners, err := portforward.Listen("127.0.0.1", 0)
		if err != nil {
			t.Fatal(err)
		}
		forward := &portforward.Forwarder{Client: l.client, Gateway: l.look(t, ctx).Gateway, Notify: func(portforward.Event) {}}
		serving, interrupt := context.WithCancel(ctx)
		served := make(chan error, 1)
		go func() { served <- forward.Serve(serving, listeners) }()
		var load load
		asking, stop := context.WithCancel(ctx)
		load.run(asking, portforward.LocalURL(listeners, false), 8)
		load.more(t, ctx, 20)
		interrupt()
		select {
		case err := <-served:
			if err != nil {
				t.Error(err)
			}
		case <-ctx.Done():
			t.Error("it keeps running")
		}
		stop()
		load.clients.Wait()
	})
}
