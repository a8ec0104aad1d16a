package kfp

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// answers is an API server that knows these answers, by method and path, and notes what was sent.
func answers(t *testing.T, known map[string]string) (*httptest.Server, map[string]string) {
	t.Helper()
	sent := map[string]string{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		key := r.Method + " " + r.URL.Path
		sent[key] = string(body) + r.URL.RawQuery
		answer, ok := known[key]
		status := http.StatusOK
		switch {
		case !ok:
			status, answer = http.StatusNotFound, "Not Found"
		case strings.HasPrefix(answer, "403 "):
			status, answer = http.StatusForbidden, answer[4:]
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	return s, sent
}

func TestTheNewestFinishedAPIIsUsed(t *testing.T) {
	const v1, v2 = "GET /apis/v1beta1/healthz", "GET /apis/v2beta1/healthz"
	for _, c := range []struct {
		name  string
		known map[string]string
		want  API
		fails bool
	}{
		{"1.0.4", map[string]string{v1: `{"commit_sha":"x"}`}, V1, false},
		{"2.0.0-alpha.7", map[string]string{v1: `{"tag_name":"2.0.0-alpha.7"}`, v2: `{"tag_name":"2.0.0-alpha.7"}`}, V1, false},
		{"2.5.0", map[string]string{v1: `{"tag_name":"2.5.0"}`, v2: `{"tag_name":"2.5.0"}`}, V2, false},
		{"something else", map[string]string{v2: `<html>`}, "", true},
		{"the mesh refuses", map[string]string{v2: "403 RBAC: access denied"}, "", true},
	} {
		s, _ := answers(t, c.known)
		got, err := Discover(t.Context(), s.Client(), s.URL)
		if (err != nil) != c.fails || err == nil && got.API != c.want {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
}

func TestErrorsHaveTheMessageOfTheAPIServer(t *testing.T) {
	s, _ := answers(t, map[string]string{"GET /apis/v2beta1/runs": `403 {"error":"PermissionDenied: User 'a' is not authorized","code":7}`})
	_, err := (&Client{HTTP: s.Client(), Base: s.URL, API: V2}).Runs(t.Context(), "team", "")
	if !Denied(err) || !strings.Contains(err.Error(), "User 'a' is not authorized") {
		t.Error(err)
	}
}

func TestARunIsFollowedByEitherAPI(t *testing.T) {
	workflow := `{"status":{"phase":"Running","nodes":{
		"w":{"id":"w","displayName":"w","type":"DAG","phase":"Failed","message":"child 'w-2' failed","startedAt":"2026-01-01T00:00:00Z","finishedAt":"2026-01-01T00:00:09Z","children":["w-1"]},
		"w-1":{"id":"w-1","displayName":"write","type":"Pod","phase":"Succeeded","startedAt":"2026-01-01T00:00:00Z","finishedAt":"2026-01-01T00:00:03Z","children":["w-2"]},
		"w-2":{"id":"w-2","displayName":"read","type":"Pod","phase":"Error","message":"failed to load artifact","startedAt":"2026-01-01T00:00:03Z","finishedAt":"2026-01-01T00:00:09Z"}}}}`
	quoted, _ := json.Marshal(workflow)
	s, _ := answers(t, map[string]string{
		"GET /apis/v1beta1/runs/r": `{"run":{"id":"r","status":"Failed"},"pipeline_runtime":{"workflow_manifest":` + string(quoted) + `}}`,
		"GET /apis/v2beta1/runs/r": `{"run_id":"r","state":"FAILED","run_details":{"task_details":[
			{"task_id":"1","pod_name":"w","display_name":"w","state":"FAILED","start_time":"2026-01-01T00:00:00Z","end_time":"2026-01-01T00:00:09Z","child_tasks":[{"pod_name":"w-1"}]},
			{"task_id":"2","pod_name":"w-1","display_name":"write","state":"SUCCEEDED","start_time":"2026-01-01T00:00:00Z","end_time":"2026-01-01T00:00:03Z","child_tasks":[{"pod_name":"w-2"}]},
			{"task_id":"3","pod_name":"w-2","display_name":"read","state":"FAILED","start_time":"2026-01-01T00:00:03Z","end_time":"2026-01-01T00:00:09Z","error":{"message":"failed to load artifact"}}]}}`,
	})
	for _, api := range []API{V1, V2} {
		run, err := (&Client{HTTP: s.Client(), Base: s.URL, API: api}).Run(t.Context(), "r")
		if err != nil {
			t.Fatal(err)
		}
		var drawn strings.Builder
		for _, l := range run.Tree() {
			fmt.Fprintf(&drawn, "%d %s %.0f\n", l.Depth, l.Name, l.Seconds)
		}
		if drawn.String() != "0 w 9\n1 write 3\n2 read 6\n" || !run.State.Bad() {
			t.Errorf("%s: %s\n%s", api, run.State, &drawn)
		}
		if c := run.Culprit(); c == nil || c.Name != "read" || c.Message != "failed to load artifact" {
			t.Errorf("%s: the culprit is %+v", api, c)
		}
	}
}

func TestTreesEndAlsoWhereAGraphIsACircle(t *testing.T) {
	now := time.Now()
	run := Run{Steps: []Step{{Node: "a", Name: "a", After: []string{"b", "gone"}, Start: now}, {Node: "b", Name: "b", After: []string{"a"}, Start: now}}}
	if lines := run.Tree(); len(lines) != 2 {
		t.Errorf("%+v", lines)
	}
}

func TestARunNamesItsPipelineAsItsAPIWants(t *testing.T) {
	s, sent := answers(t, map[string]string{"POST /apis/v1beta1/runs": `{"run":{"id":"one"}}`, "POST /apis/v2beta1/runs": `{"run_id":"two"}`})
	for api, want := range map[API][]string{
		V1: {`"workflow_manifest":"{`, `"type":"EXPERIMENT"`, `"name":"n"`},
		V2: {`"pipeline_spec":{`, `"experiment_id":"e"`, `"display_name":"n"`, `producerTask`},
	} {
		id, err := (&Client{HTTP: s.Client(), Base: s.URL, API: api}).CreateRun(t.Context(), "e", "n", "default-editor", Source{Spec: TwoSteps(api, "image", "word")})
		if err != nil || id == "" {
			t.Fatal(id, err)
		}
		for _, text := range want {
			if body := sent["POST /apis/"+string(api)+"/runs"]; !strings.Contains(body, text) {
				t.Errorf("%s lacks %s: %s", api, text, body)
			}
		}
	}
}

func TestArtifactsAreUnpacked(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte("word"))
	_ = z.Close()
	for _, data := range [][]byte{packed.Bytes(), []byte("word")} {
		if got, err := unpack(data); err != nil || string(got) != "word" {
			t.Errorf("%q, %v", got, err)
		}
	}
}
