//go:build unix

package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
)

// typed is how each command is typed in the situations; "" is a command that connects to no cluster. A command that is missing here fails
// the test.
var typed = map[string]string{
	"install": "install -r mini", "upgrade": "upgrade", "diff": "diff -r mini", "status": "status", "doctor": "doctor", "expose": "expose",
	"verify": "verify login", "dashboard": "dashboard", "logs": "logs pipelines", "restart": "restart pipelines", "uninstall": "uninstall",
	"bundle": "bundle -O -", "version": "version", "releases": "releases", "build": "", "completion": "", "options": "", "help": "",
	"completion bash": "", "completion zsh": "", "completion fish": "", "completion powershell": "", "completion kubectl": "",
	"auth": "auth", "auth user": "", "auth password": "auth password --generate --yes", "auth rotate-secrets": "auth rotate-secrets --yes",
	"auth entra": "auth entra --remove --yes", "auth oidc": "auth oidc --remove --yes",
	"auth user list": "auth user list", "auth user add": "auth user add ann@example.com --profile ann --yes", "auth user remove": "auth user remove ann@example.com --yes",
	"cluster gpu-plugin": "cluster gpu-plugin --yes",
	// They connect to Azure, and TestClusters holds how they end.
	"cluster": "", "cluster create": "", "cluster credentials": "", "cluster list": "", "cluster start": "", "cluster stop": "", "cluster delete": "",
}

// A situation is what can be wrong around a command.
type situation struct {
	name string
	args string
	// kubeconfig is of the server; "" is none.
	kubeconfig string
	serve      http.HandlerFunc
	interrupt  bool
	code       int
	except     map[string]int // commands with another code
	says       string         // its last line holds it, with the code of the situation
}

const contextless = `{apiVersion: v1, kind: Config, clusters: [{name: c, cluster: {server: "SERVER"}}], users: [{name: u, user: {}}], contexts: [{name: aks, context: {cluster: c, user: u}}]`

var situations = []situation{
	{name: "wrong flag", args: " --nonesuch", code: exitUsage, says: "--help"},
	{name: "empty value", args: " --color=", code: exitUsage, says: "auto"},
	{name: "no kubeconfig", code: exitError, except: map[string]int{"releases": exitOK}, says: "az aks get-credentials"},
	{name: "no current context", kubeconfig: contextless + "}", code: exitError, except: map[string]int{"releases": exitOK}, says: "kubectl config use-context aks"},
	{name: "unknown context", args: " --context other", kubeconfig: contextless + "}", code: exitError, except: map[string]int{"releases": exitOK}, says: "kubectl config get-contexts"},
	{name: "unreachable", kubeconfig: strings.ReplaceAll(contextless, "SERVER", "https://127.0.0.1:1") + ", current-context: aks}", code: exitError, except: map[string]int{"releases": exitOK}, says: "kubectl config current-context"},
	{name: "forbidden", kubeconfig: contextless + ", current-context: aks}", serve: apiServer(http.StatusForbidden), code: exitError, except: map[string]int{"version": exitOK, "releases": exitOK}},
	{name: "no Kubeflow", kubeconfig: contextless + ", current-context: aks}", serve: apiServer(http.StatusNotFound), code: exitError,
		except: map[string]int{"version": exitOK, "releases": exitOK, "uninstall": exitOK, "bundle": exitOK}},
	{name: "interrupted", kubeconfig: contextless + ", current-context: aks}", interrupt: true, code: exitInterrupted, says: "Run the same command again to resume."},
}

// TestEveryCommandEndsTheSameWayInTheSameSituation runs all commands where something is missing, and holds their exit codes, where they
// say it, and the sentence that they end with.
func TestEveryCommandEndsTheSameWayInTheSameSituation(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	t.Setenv("HOME", t.TempDir())
	root := newRootCommand(cli.NewDeps(genericiooptions.NewTestIOStreamsDiscard()))
	for _, cmd := range runnable(root) {
		name := strings.TrimPrefix(cmd.CommandPath(), root.CommandPath()+" ")
		line, known := typed[name]
		if !known {
			t.Errorf("%s is in no situation: add how it is typed", name)
		}
		for _, s := range situations {
			switch {
			case line != "":
				t.Run(name+"/"+s.name, func(t *testing.T) { s.check(t, name, line) })
			case s.args == " --nonesuch" && name != "help":
				t.Run(name+"/"+s.name, func(t *testing.T) { s.check(t, name, name) })
			}
		}
	}
}

// runnable returns the commands below one that do something, without those for programs.
func runnable(cmd *cobra.Command) []*cobra.Command {
	var all []*cobra.Command
	for _, c := range cmd.Commands() {
		if c.Hidden {
			continue
		}
		if c.Runnable() {
			all = append(all, c)
		}
		all = append(all, runnable(c)...)
	}
	return all
}

func (s situation) check(t *testing.T, command, line string) {
	arrived := make(chan struct{})
	var once sync.Once
	serve := s.serve
	if s.interrupt {
		serve = func(_ http.ResponseWriter, r *http.Request) {
			once.Do(func() { close(arrived) })
			<-r.Context().Done()
		}
	}
	if serve == nil {
		serve = http.NotFound
	}
	server := httptest.NewServer(serve)
	defer server.Close()
	kubeconfig := filepath.Join(t.TempDir(), "config")
	if s.kubeconfig != "" {
		if err := os.WriteFile(kubeconfig, []byte(strings.ReplaceAll(s.kubeconfig, "SERVER", server.URL)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("KUBECONFIG", kubeconfig)
	if s.interrupt {
		go func() {
			<-arrived
			_ = syscall.Kill(os.Getpid(), syscall.SIGINT)
		}()
	}
	var out, errOut bytes.Buffer
	code := run(strings.Fields(line+s.args+" --cache-dir "+t.TempDir()), strings.NewReader(""), &out, &errOut)
	want, excepted := s.except[command]
	if !excepted {
		want = s.code
	}
	said := strings.TrimSpace(errOut.String())
	if code != want {
		t.Errorf("exit code %d, want %d:\n%s\n%s", code, want, out.String(), said)
	}
	last := said[strings.LastIndex(said, "\n")+1:]
	if want == s.code && !strings.Contains(last, s.says) {
		t.Errorf("the last line is %q, want one with %q:\n%s", last, s.says, said)
	}
	if failed := want == exitError || want == exitUsage; failed && last == "" {
		t.Errorf("nothing is said on stderr; stdout is %q", out.String())
	}
	for _, word := range []string{"goroutine", "context canceled", "context deadline exceeded", "%!"} {
		if strings.Contains(said, word) {
			t.Errorf("%q means nothing to a user:\n%s", word, said)
		}
	}
}

// apiServer is the least of an API server: it knows some kinds, has no objects, and answers every question about one with a code.
func apiServer(code int) http.HandlerFunc {
	resource := func(name, kind string, namespaced bool) string {
		return fmt.Sprintf(`{"name":%q,"kind":%q,"namespaced":%t,"verbs":["get","list","create","patch","delete","watch"]}`, name, kind, namespaced)
	}
	resources := map[string]string{
		"/api/v1": `{"kind":"APIResourceList","groupVersion":"v1","resources":[` + strings.Join([]string{
			resource("namespaces", "Namespace", false), resource("nodes", "Node", false), resource("pods", "Pod", true), resource("services", "Service", true),
			resource("configmaps", "ConfigMap", true), resource("secrets", "Secret", true), resource("events", "Event", true), resource("endpoints", "Endpoints", true),
			resource("serviceaccounts", "ServiceAccount", true), resource("persistentvolumeclaims", "PersistentVolumeClaim", true),
			resource("persistentvolumes", "PersistentVolume", false), resource("resourcequotas", "ResourceQuota", true), resource("limitranges", "LimitRange", true)}, ",") + `]}`,
		"/apis/apps/v1": `{"kind":"APIResourceList","groupVersion":"apps/v1","resources":[` + strings.Join([]string{
			resource("deployments", "Deployment", true), resource("statefulsets", "StatefulSet", true), resource("daemonsets", "DaemonSet", true), resource("replicasets", "ReplicaSet", true)}, ",") + `]}`,
	}
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		path := r.URL.Path
		switch {
		case path == "/version":
			fmt.Fprint(w, `{"major":"1","minor":"35","gitVersion":"v1.35.4"}`)
		case path == "/api":
			fmt.Fprint(w, `{"kind":"APIVersions","versions":["v1"]}`)
		case path == "/apis":
			fmt.Fprint(w, `{"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"apps","versions":[{"groupVersion":"apps/v1","version":"v1"}],"preferredVersion":{"groupVersion":"apps/v1","version":"v1"}}]}`)
		case resources[path] != "":
			fmt.Fprint(w, resources[path])
		case code == http.StatusNotFound && r.Method == http.MethodGet && len(strings.Split(strings.Trim(path, "/"), "/"))%2 == 1: // a list
			fmt.Fprint(w, `{"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}`)
		default:
			reason := map[int]string{http.StatusForbidden: "Forbidden", http.StatusNotFound: "NotFound"}[code]
			w.WriteHeader(code)
			fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":%q,"message":"%s: user guest","code":%d}`, reason, strings.ToLower(reason), code)
		}
	}
}
