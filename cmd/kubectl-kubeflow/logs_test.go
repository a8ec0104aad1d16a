//go:build unix

package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
)

// crashing is a Kubeflow whose MySQL and a controller end again and again.
const crashing = `
{apiVersion: v1, kind: Namespace, metadata: {name: kubeflow}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: kubectl-kubeflow, labels: {app.kubernetes.io/managed-by: kubectl-kubeflow}}}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: kubectl-kubeflow-inventory-kubeflow
  namespace: kubectl-kubeflow
  labels: {app.kubernetes.io/managed-by: kubectl-kubeflow, app.kubernetes.io/component: inventory, app.kubernetes.io/instance: kubeflow}
data: {release: "26.03", source: "[]", objects: '[{"apiVersion":"apps/v1","kind":"Deployment","namespace":"kubeflow","name":"mysql","component":"pipelines"}]'}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: mysql, namespace: kubeflow, uid: d}
spec: {replicas: 1, selector: {matchLabels: {app: mysql}}, template: {metadata: {labels: {app: mysql}}, spec: {containers: [{name: main, image: "mysql:8"}]}}}
status: {replicas: 1, unavailableReplicas: 1}
---
apiVersion: v1
kind: Pod
metadata: {name: mysql, namespace: kubeflow, labels: {app: mysql}}
spec: {containers: [{name: main, image: "mysql:8"}]}
status: {phase: Running, containerStatuses: [{name: main, restartCount: 5, state: {terminated: {exitCode: 1, reason: Error, message: "MESSAGE"}}, lastState: {terminated: {exitCode: 1, message: "MESSAGE"}}}]}
`

// TestALogOfAnybodyReachesNobody lets a container log credentials of every shape, escape sequences, HTML and more than anybody reads, and runs every
// command that shows or saves a log, in every format. Nothing of it may steer what shows it, and no credential may be readable.
func TestALogOfAnybodyReachesNobody(t *testing.T) {
	p := kubetest.NewPlanter()
	var log strings.Builder
	for i, shape := range kubetest.SecretShapes {
		for _, around := range kubetest.LogLines {
			log.WriteString(strings.ReplaceAll(around, "%s", p.Plant(shape, around)) + "\n")
		}
		if i == 0 { // what the check of MySQL and that of file watches look for, and quote
			fmt.Fprintf(&log, "%s Can't create test file %s, too many open files: password=%s %s\n", hostileText[:20], p.Plant(shape, "quoted"), p.Plant(shape, "quoted"), hostileText)
		}
	}
	message := strings.Join([]string{p.Plant(kubetest.SecretShapes[7], "message"), "password=" + p.Plant(kubetest.SecretShapes[0], "message"), hostileText}, " ")
	content := strings.ReplaceAll(crashing, `"MESSAGE"`, quoted(t, message))
	server := httptest.NewServer(serving(kubetest.Objects(t, []byte(content)), log.String()+hostileText+strings.Repeat("long ", 200_000)))
	defer server.Close()
	work := t.TempDir()
	t.Chdir(work)
	write(t, "config", strings.ReplaceAll(contextless, "SERVER", server.URL)+", current-context: aks}")
	shown, quotes := 0, 0
	for _, args := range logFormats {
		var out, errOut bytes.Buffer
		args = append(slices.Clone(args), "--kubeconfig="+filepath.Join(work, "config"), "--cache-dir="+filepath.Join(work, "cache"))
		run(args, strings.NewReader(""), &out, &errOut)
		text := out.String()
		if strings.HasPrefix(text, "\x1f\x8b") {
			unzipped, err := gzip.NewReader(&out)
			if err != nil {
				t.Fatal(err)
			}
			all, err := io.ReadAll(unzipped)
			if err != nil {
				t.Fatal(err)
			}
			text = string(all)
		} else {
			showsNothingHostile(t, args)
		}
		for _, secret := range p.Readable(text + errOut.String()) {
			t.Errorf("%q shows %s", args[:len(args)-2], secret)
		}
		if len(text) > 2<<20 {
			t.Errorf("%q shows %d bytes", args[:len(args)-2], len(text))
		}
		shown += strings.Count(text, "***") + strings.Count(text, "redacted-")
		quotes += strings.Count(text, "Can't create test file")
	}
	if shown < 1000 || quotes < 5 {
		t.Errorf("the log is hardly shown: %d masks, %d quotes", shown, quotes)
	}
	t.Logf("%d credentials in a log of %d kB; %d masks and %d quotes are shown", p.Planted(), log.Len()/1024, shown, quotes)
}

// logFormats are the commands that show or save logs, in each format.
var logFormats = [][]string{
	{"logs", "pipelines", "--tail=5000"}, {"logs", "mysql", "--all"}, {"logs", "pipelines", "-o", "json"}, {"logs", "pipelines", "-o", "yaml"}, {"logs", "pipelines", "--color=always"},
	{"doctor"}, {"doctor", "-o", "wide"}, {"doctor", "-o", "short"}, {"doctor", "-o", "json"}, {"doctor", "-o", "yaml"}, {"doctor", "-o", "markdown"}, {"doctor", "-o", "junit"}, {"doctor", "-o", "sarif"}, {"doctor", "--fix", "--dry-run"},
	{"bundle", "-O", "-"}, {"status", "--tree"}, {"status", "-o", "json"},
}

func quoted(t *testing.T, text string) string {
	t.Helper()
	out, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// serving is an API server that only reads: it has these objects, and every container has this log.
func serving(objects []*unstructured.Unstructured, log string) http.HandlerFunc {
	plural := map[string]string{"Namespace": "namespaces", "ConfigMap": "configmaps", "Pod": "pods", "Secret": "secrets", "Event": "events", "Deployment": "deployments", "Service": "services", "Node": "nodes"}
	resources := func(version string, kinds ...string) map[string]any {
		var list []any
		for _, kind := range kinds {
			list = append(list, map[string]any{"name": plural[kind], "kind": kind, "namespaced": kind != "Namespace" && kind != "Node", "verbs": []string{"get", "list"}})
		}
		return map[string]any{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": list}
	}
	apps := map[string]any{"groupVersion": "apps/v1", "version": "v1"}
	fixed := map[string]any{
		"/version": map[string]any{"major": "1", "minor": "35", "gitVersion": "v1.35.4"}, "/api": map[string]any{"kind": "APIVersions", "versions": []string{"v1"}},
		"/apis":   map[string]any{"kind": "APIGroupList", "apiVersion": "v1", "groups": []any{map[string]any{"name": "apps", "versions": []any{apps}, "preferredVersion": apps}}},
		"/api/v1": resources("v1", "Namespace", "ConfigMap", "Pod", "Secret", "Event", "Service", "Node"), "/apis/apps/v1": resources("apps/v1", "Deployment"),
	}
	return func(w http.ResponseWriter, r *http.Request) {
		answer := func(value any) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(value)
		}
		if value, ok := fixed[r.URL.Path]; ok {
			answer(value)
			return
		}
		if strings.HasSuffix(r.URL.Path, "/log") {
			_, _ = io.WriteString(w, log) // more than it was asked for
			return
		}
		if r.Method == http.MethodPost {
			answer(map[string]any{"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "status": map[string]any{"allowed": true}})
			return
		}
		steps := strings.Split(strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/api/v1/"), "/apis/apps/v1/"), "/")
		namespace := ""
		if steps[0] == "namespaces" && len(steps) > 2 {
			namespace, steps = steps[1], steps[2:]
		}
		selector, err := labels.Parse(r.URL.Query().Get("labelSelector"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		items := []any{}
		for _, o := range objects {
			if plural[o.GetKind()] != steps[0] || namespace != "" && o.GetNamespace() != namespace || !selector.Matches(labels.Set(o.GetLabels())) {
				continue
			}
			if len(steps) == 2 && steps[1] == o.GetName() {
				answer(o.Object)
				return
			}
			items = append(items, o.Object)
		}
		switch {
		case len(steps) == 2:
			w.WriteHeader(http.StatusNotFound)
			answer(map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404, "message": "not found"})
		case strings.Contains(r.Header.Get("Accept"), "as=PartialObjectMetadataList"):
			answer(map[string]any{"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": map[string]any{"resourceVersion": "1"}, "items": items})
		default:
			kind := ""
			for k, resource := range plural {
				if resource == steps[0] {
					kind = k + "List"
				}
			}
			version := "v1"
			if steps[0] == "deployments" {
				version = "apps/v1"
			}
			answer(map[string]any{"kind": kind, "apiVersion": version, "metadata": map[string]any{"resourceVersion": "1"}, "items": items})
		}
	}
}
