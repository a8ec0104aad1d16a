package verify

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// oneProfile is an API server that has a Profile until it is told otherwise, and counts what is asked of it.
type oneProfile struct {
	mu        sync.Mutex
	lists     int
	watches   int
	forbidden bool          // to watch
	gone      chan struct{} // closed when it is deleted
}

const profileOfTest = `{"apiVersion":"kubeflow.org/v1","kind":"Profile","metadata":{"name":"p","uid":"1","resourceVersion":"7"}}`

func (o *oneProfile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	o.mu.Lock()
	watching := r.URL.Query().Get("watch") != ""
	switch {
	case !strings.HasSuffix(r.URL.Path, "/profiles"):
	case watching:
		o.watches++
	default:
		o.lists++
	}
	o.mu.Unlock()
	switch {
	case r.URL.Path == "/api":
		fmt.Fprint(w, `{"kind":"APIVersions","versions":["v1"]}`)
	case r.URL.Path == "/apis":
		fmt.Fprint(w, `{"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"kubeflow.org","versions":[{"groupVersion":"kubeflow.org/v1","version":"v1"}],"preferredVersion":{"groupVersion":"kubeflow.org/v1","version":"v1"}}]}`)
	case r.URL.Path == "/api/v1":
		fmt.Fprint(w, `{"kind":"APIResourceList","groupVersion":"v1","resources":[]}`)
	case r.URL.Path == "/apis/kubeflow.org/v1":
		fmt.Fprint(w, `{"kind":"APIResourceList","groupVersion":"kubeflow.org/v1","resources":[{"name":"profiles","kind":"Profile","namespaced":false,"verbs":["get","list","watch"]}]}`)
	case watching && o.forbidden:
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","message":"no","code":403}`)
	case watching:
		fmt.Fprintf(w, `{"type":"ADDED","object":%s}`+"\n", profileOfTest)
		w.(http.Flusher).Flush()
		select {
		case <-o.gone:
			fmt.Fprintf(w, `{"type":"DELETED","object":%s}`+"\n", profileOfTest)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case <-r.Context().Done():
		}
	default:
		item := profileOfTest
		select {
		case <-o.gone:
			item = ""
		default:
		}
		fmt.Fprintf(w, `{"apiVersion":"kubeflow.org/v1","kind":"ProfileList","metadata":{"resourceVersion":"7"},"items":[%s]}`, item)
	}
}

// However long a wait is, it takes two lists and a watch; without the permission to watch, a list for each look.
func TestAWaitIsAWatch(t *testing.T) {
	for _, forbidden := range []bool{false, true} {
		t.Run(fmt.Sprintf("forbidden %t", forbidden), func(t *testing.T) {
			o := &oneProfile{forbidden: forbidden, gone: make(chan struct{})}
			server := httptest.NewServer(o)
			defer server.Close()
			flags, cache := genericclioptions.NewConfigFlags(true), t.TempDir()
			flags.APIServer, flags.CacheDir = &server.URL, &cache
			client, err := cluster.Connect(flags)
			if err != nil {
				t.Fatal(err)
			}
			s := newSession(client, Options{})
			defer s.close()
			time.AfterFunc(2*time.Second, func() { close(o.gone) })
			if err := s.awaitGone(t.Context(), cluster.Ref{APIVersion: "kubeflow.org/v1", Kind: "Profile", Name: "p"}); err != nil {
				t.Fatal(err)
			}
			o.mu.Lock()
			defer o.mu.Unlock()
			t.Logf("%d lists, %d watches", o.lists, o.watches)
			if !forbidden && (o.lists != 2 || o.watches != 1) || forbidden && (o.lists < 4 || o.watches != 1) {
				t.Errorf("%d lists and %d watches", o.lists, o.watches)
			}
		})
	}
}

// What takes long is asked less often.
func TestALongWaitLooksLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looks, began := 0, time.Now()
		err := new(T).Poll(t.Context(), func(context.Context) (bool, error) {
			looks++
			return time.Since(began) > 5*time.Minute, nil
		})
		if err != nil || looks > 200 {
			t.Errorf("%d looks, %v", looks, err)
		}
	})
}
