package kfp

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// FuzzRun reads any answer to the question for a run: it ends, and what is drawn of it is bounded by the answer.
func FuzzRun(f *testing.F) {
	f.Add(`{"run_id":"r","state":"FAILED","run_details":{"task_details":[{"task_id":"1","pod_name":"w","display_name":"w","state":"FAILED","child_tasks":[{"pod_name":"w-1"}]},{"task_id":"2","pod_name":"w-1","child_tasks":[{"pod_name":"w"}]}]}}`, true)
	f.Add(`{"run":{"id":"r","status":"Failed"},"pipeline_runtime":{"workflow_manifest":"{\"status\":{\"nodes\":{\"a\":{\"children\":[\"a\"]}}}}"}}`, false)
	f.Add(`[`, true)
	f.Fuzz(func(t *testing.T, answer string, newer bool) {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) }))
		defer s.Close()
		api := V1
		if newer {
			api = V2
		}
		began := time.Now()
		run, err := (&Client{HTTP: s.Client(), Base: s.URL, API: api}).Run(t.Context(), "r")
		if err != nil {
			return
		}
		lines := run.Tree()
		if len(lines) > len(run.Steps) {
			t.Errorf("%d lines of %d steps", len(lines), len(run.Steps))
		}
		for _, l := range lines {
			if l.Depth > deepest {
				t.Errorf("a step is %d deep", l.Depth)
			}
		}
		_, _ = run.Culprit(), run.Find("read")
		if took := time.Since(began); took > 5*time.Second {
			t.Fatalf("%d bytes took %s", len(answer), took)
		}
	})
}

// FuzzUnpack unpacks any artifact.
func FuzzUnpack(f *testing.F) {
	f.Add([]byte("word"))
	f.Add([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255})
	f.Fuzz(func(t *testing.T, data []byte) {
		if content, err := unpack(data); err == nil && len(content) > largest {
			t.Errorf("%d bytes unpack to %d", len(data), len(content))
		}
	})
}

// A chain of steps is as long as whoever writes the Workflow wants: its drawing is not indented without an end.
func TestALongChainIsNotIndentedWithoutEnd(t *testing.T) {
	run := &Run{}
	for i := range 2000 {
		run.Steps = append(run.Steps, Step{Node: strconv.Itoa(i), Name: fmt.Sprint("s", i), After: []string{strconv.Itoa(i + 1)}})
	}
	size := 0
	for _, l := range run.Tree() {
		size += len(strings.Repeat("  ", l.Depth))
	}
	if size > 2000*2*deepest {
		t.Errorf("%d bytes of spaces", size)
	}
}
