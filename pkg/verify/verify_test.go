package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
)

func TestSelectTakesTheQuickTestsOrThoseThatAreNamed(t *testing.T) {
	if tests, unknown := Select(nil, false); unknown != "" || len(tests) == 0 {
		t.Errorf("without names: %v, %q", tests, unknown)
	}
	if tests, _ := Select([]string{"storage"}, false); len(tests) != 1 || tests[0] != storage {
		t.Errorf("by name: %v", tests)
	}
	if _, unknown := Select([]string{"storage", "nothing"}, false); unknown != "nothing" {
		t.Errorf("an unknown name: %q", unknown)
	}
}

// known reports whether the doctor knows an area or the ID of a check.
func known(name string) bool {
	_, err := checks.Find(name)
	return err == nil
}

func TestChecksThatExplainFailuresExist(t *testing.T) {
	for _, test := range Tests() {
		for _, check := range test.Checks {
			if !known(check) {
				t.Errorf("%s: the doctor has no %s", test.Name, check)
			}
		}
	}
}

func TestAdviceNamesChecksThatExist(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	advice := regexp.MustCompile(`kubectl kubeflow doctor ([a-z/ -]+)`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range advice.FindAllStringSubmatch(string(text), -1) {
			for _, name := range strings.Fields(match[1]) {
				if !strings.HasPrefix(name, "-") && !known(name) {
					t.Errorf("%s: the doctor has no %s", file, name)
				}
			}
		}
	}
}

func TestImagesAreReplacedByUseNameOrPrefix(t *testing.T) {
	images := map[string]string{"notebook": "mine:1", "ghcr.io": "example.azurecr.io", "ghcr.io/kubeflow/": "other.io/kf/", "docker.io/alpine/k8s:1": "k8s:2"}
	for _, c := range []struct {
		image string
		use   Use
		want  string
	}{
		{"ghcr.io/kubeflow/x:1", Notebook, "mine:1"},
		{"ghcr.io/kubeflow/x:1", Shell, "other.io/kf/x:1"},
		{"ghcr.io/elsewhere/x:1", Shell, "example.azurecr.io/elsewhere/x:1"},
		{"docker.io/alpine/k8s:1", Shell, "k8s:2"},
		{"docker.io/alpine/k8s:1.32", Shell, "docker.io/alpine/k8s:1.32"},
	} {
		if got := replaced(c.image, c.use, images); got != c.want {
			t.Errorf("%s for %s: %s, want %s", c.image, c.use, got, c.want)
		}
	}
}

func TestAClockStandsStillWhileImagesArePulled(t *testing.T) {
	ctx, c := newClock(t.Context(), 300*time.Millisecond)
	defer c.stop()
	release := c.hold()
	time.Sleep(600 * time.Millisecond)
	if ctx.Err() != nil {
		t.Fatal("pulling counted towards the timeout")
	}
	release()
	<-ctx.Done()
	if !errors.Is(context.Cause(ctx), errBudget) || c.pulled() < 300*time.Millisecond {
		t.Errorf("%v after %s of pulling", context.Cause(ctx), c.pulled())
	}
}

func TestOnlyWhatThisProgramLabelledIsRemoved(t *testing.T) {
	profile := func(name, manager string) *unstructured.Unstructured {
		o := object("kubeflow.org/v1", "Profile", name, nil)
		label(o, "x", "profile")
		o.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: manager, FieldsV1: metav1.NewFieldsV1(`{"f:metadata":{"f:labels":{"f:kubectl-kubeflow/verify":{}}}}`)}})
		return o
	}
	for _, c := range []struct {
		name, manager string
		want          bool
	}{
		{"kubeflow-verify-abcde", Manager, true},
		{"kubeflow-verify-abcde", "kubectl-label", false},
		{"team", Manager, false},
	} {
		if got := ours(profile(c.name, c.manager)); got != c.want {
			t.Errorf("%s by %s: %v, want %v", c.name, c.manager, got, c.want)
		}
	}
}

func TestFailuresAreExplainedByFindingsOfTheirAreas(t *testing.T) {
	pull := "Use another image with --image a=b"
	results := []Result{
		{Test: "storage", Failure: &Failure{Message: "no volume", Next: "kubectl kubeflow doctor storage"}}, {Test: "login"},
		{Test: "katib", Failure: &Failure{Message: "timed out after 3m: waiting for the controller", TimedOut: true}},
		{Test: "training", Failure: &Failure{Message: "image a cannot be pulled", Next: pull}},
	}
	explain(t.Context(), results, Options{Tests: Tests(), Explain: func(context.Context) ([]Explanation, error) {
		return []Explanation{
			{ID: "mesh/sidecars", Severe: true}, {ID: "nodes/capacity"}, {ID: "storage/default-class", Severe: true, Fix: "Mark it"},
			{ID: "platform/kubernetes-version", Message: "was tested on another version"}, {ID: "workloads/available", Message: "Deployment katib-controller was scaled to zero", Severe: true},
			{ID: "workloads/available", Message: "it was scaled to zero", About: "Deployment/kubeflow/notebook-controller-deployment", Severe: true},
		}, nil
	}})
	for i, want := range map[int]string{
		0: "[storage/default-class] kubectl kubeflow doctor storage/default-class --fix",
		2: "[workloads/available mesh/sidecars] kubectl kubeflow doctor workloads/available",
		3: "[mesh/sidecars] " + pull,
	} {
		var ids []string
		for _, e := range results[i].Failure.ExplainedBy {
			ids = append(ids, e.ID)
		}
		if got := fmt.Sprint(ids, " ", results[i].Failure.Next); got != want {
			t.Errorf("%s: got  %s\nwant %s", results[i].Test, got, want)
		}
	}
}

// dexLike is a gateway with oauth2-proxy's page in front of dex's form.
func dexLike() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie("session"); err != nil {
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`<form action="/oauth2/start"><input type="hidden" name="rd" value="/"><button>Sign in</button></form>`))
			return
		}
		_, _ = w.Write([]byte("<title>Kubeflow Central Dashboard</title>"))
	})
	mux.HandleFunc("/oauth2/start", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/dex/auth/local?back="+r.FormValue("rd"), http.StatusFound)
	})
	mux.HandleFunc("/dex/auth/local", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.PostFormValue("password") == "right" {
			http.SetCookie(w, &http.Cookie{Name: "session", Value: "1", Path: "/", Secure: true})
			http.Redirect(w, r, r.FormValue("back"), http.StatusSeeOther)
			return
		}
		_, _ = w.Write([]byte(`<title>dex</title><form method="post" action=""><input name="login" type="text"><input name="password" type="password"></form>`))
	})
	return mux
}

func TestABrowserSignsInThroughButtonsAndForms(t *testing.T) {
	gateway := httptest.NewServer(dexLike())
	defer gateway.Close()
	for password, want := range map[string]string{"right": "Kubeflow Central Dashboard", "wrong": "dex"} {
		b := newBrowser(gateway.URL)
		p, err := b.login(t.Context())
		if err != nil || p.form == nil || p.form.user != "login" || p.form.password != "password" {
			t.Fatalf("the login page: %+v, %v", p, err)
		}
		p, err = b.submit(t.Context(), p, map[string][]string{p.form.user: {"user"}, p.form.password: {password}})
		if err != nil || p.title != want {
			t.Errorf("with the %s password: %+v, %v", password, p, err)
		}
	}
}

// kernel is a server whose kernel sends these messages to each request.
func kernel(t *testing.T, messages ...message) *server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /nb/api/kernels", func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie("_xsrf")
		if err != nil || cookie.Value != r.Header.Get("X-XSRFToken") {
			http.Error(w, "'_xsrf' argument missing from POST", http.StatusForbidden)
			return
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte(`{"id": "k"}`))
	})
	mux.HandleFunc("GET /nb/api/kernels/k/channels", func(w http.ResponseWriter, r *http.Request) {
		conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		var request message
		if conn.ReadJSON(&request) != nil {
			return
		}
		for _, m := range messages {
			m.ParentHeader = request.Header
			_ = conn.WriteJSON(m)
		}
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return &server{base: s.URL, path: "/nb/", client: s.Client()}
}

func reply(kind string, content map[string]any) message {
	return message{Header: map[string]any{"msg_type": kind}, Content: content}
}

func TestAKernelRunsCodeOrSaysWhyNot(t *testing.T) {
	idle, done := reply("status", map[string]any{"execution_state": "idle"}), reply("execute_reply", nil)
	for _, c := range []struct {
		name     string
		messages []message
		want     string
	}{
		{"it prints", []message{reply("stream", map[string]any{"text": "accuracy "}), reply("stream", map[string]any{"text": "1.0\n"}), done, idle}, "accuracy 1.0"},
		{"Python fails", []message{reply("error", map[string]any{"ename": "MemoryError", "evalue": "no memory"})}, "Python failed: MemoryError: no memory"},
		{"the kernel dies", []message{reply("status", map[string]any{"execution_state": "restarting"})}, "the kernel died"},
		{"the connection ends", nil, "reading from the kernel"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := kernel(t, c.messages...).execute(t.Context(), "code")
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// Whatever a test quotes of answers, pages and events, credentials in it are masked in one place.
func TestResultsShowNoCredentials(t *testing.T) {
	const quoted = "password=hUnter2xPlanted, Authorization: Bearer hUnter2xPlanted at https://u:hUnter2xPlanted@h/?sig=hUnter2xPlanted"
	session := &Session{options: Options{Timeout: time.Minute, Observe: func(e Event) {
		if strings.Contains(e.Step, "hUnter2xPlanted") || e.Result != nil && e.Result.Failure != nil && strings.Contains(e.Result.Failure.Message, "hUnter2xPlanted") {
			t.Errorf("the event %+v shows a credential", e)
		}
	}}}
	results := session.runAll(t.Context(), []*Test{{Name: "a", Applies: func(context.Context, *Session) (string, error) { return "", nil }, Run: func(_ context.Context, t *T) error {
		t.Step("waiting: %s", quoted)
		t.Detail("seen: %s", quoted)
		t.Skip("layer", quoted)
		return t.Layer("other", &Failure{Message: quoted})
	}}, {Name: "b", Applies: func(context.Context, *Session) (string, error) { return quoted, nil }}})
	shown, err := json.Marshal(results)
	if err != nil || len(results) != 2 || results[0].Failure == nil || strings.Contains(string(shown), "hUnter2xPlanted") || !strings.Contains(string(shown), "***") {
		t.Errorf("%s, %v", shown, err)
	}
}
