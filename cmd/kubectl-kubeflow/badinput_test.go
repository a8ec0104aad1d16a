package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A badInput is an input error; docs/bad-input.md lists the message for each.
type badInput struct {
	what  string // its name on the page
	args  string // after "kubectl kubeflow"
	files map[string]string
	stdin string
	env   map[string]string
	code  int // 2 if unset
}

const badInputPage = "../../docs/bad-input.md"

const badInputHead = `# Input errors and their messages

Each row is an input error and the message that ` + "`kubectl kubeflow`" + ` prints: what happened, and what to do. Exit code 2 means that the input is
wrong; 1 means that something else failed. A test generates this page from its cases (` + "`make golden`" + `).
`

// TestBadInputIsAnsweredWithTwoSentences gives each case to the whole program, with a kubeconfig whose
// cluster does not answer and an internet that is one small server, and compares the page with the answers.
func TestBadInputIsAnsweredWithTwoSentences(t *testing.T) {
	internet := httptest.NewServer(http.HandlerFunc(badInternet))
	defer internet.Close()
	page := bytes.NewBufferString(badInputHead)
	count := 0
	for _, group := range badInputs(t) {
		fmt.Fprintf(page, "\n## %s\n\n| input error | what happened | what to do | exit code |\n|---|---|---|---|\n", group.title)
		for _, c := range group.cases {
			count++
			t.Run(group.title+"/"+c.what, func(t *testing.T) {
				happened, next, code := c.answer(t, internet.URL)
				fmt.Fprintf(page, "| %s<br>`%s` | %s | %s | %d |\n", c.what, c.args, inCell(happened), inCell(next), code)
			})
		}
	}
	if count < 40 {
		t.Errorf("only %d cases", count)
	}
	if t.Failed() {
		return
	}
	if *update {
		if err := os.WriteFile(badInputPage, page.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if old, err := os.ReadFile(badInputPage); err != nil || !bytes.Equal(old, page.Bytes()) {
		t.Errorf("docs/bad-input.md is out of date: make golden rewrites it (%v)", err)
	}
}

// answer runs the program in a folder of its own and takes its two sentences.
func (c badInput) answer(t *testing.T, internet string) (happened, next string, code int) {
	t.Helper()
	work := t.TempDir()
	for name, content := range c.files {
		file := filepath.Join(work, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kubeconfig := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(kubeconfig, []byte(deadCluster), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(work)
	for name, value := range map[string]string{
		"HOME": t.TempDir(), "XDG_CACHE_HOME": t.TempDir(), "KUBECONFIG": kubeconfig, "KUBERNETES_SERVICE_HOST": "",
		"HTTP_PROXY": internet, "HTTPS_PROXY": internet, "NO_PROXY": "", "NO_COLOR": "1", "KUBEFLOW_MIRROR": "",
	} {
		t.Setenv(name, value)
	}
	for name, value := range c.env {
		t.Setenv(name, value)
	}
	var out, errOut bytes.Buffer
	code = run(strings.Fields(c.args), strings.NewReader(c.stdin), &out, &errOut)
	said := strings.ReplaceAll(strings.ReplaceAll(errOut.String(), work+"/", ""), work, ".")
	c.check(t, said, code)
	_, said, _ = strings.Cut("\n"+said, "\nerror: ")
	happened, next, _ = strings.Cut(strings.TrimSpace(said), "\n")
	return happened, next, code
}

// check holds what every answer has: the exit code, one line each, and nothing that only a programmer understands.
func (c badInput) check(t *testing.T, said string, code int) {
	t.Helper()
	want := c.code
	if want == 0 {
		want = exitUsage
	}
	if code != want {
		t.Errorf("exit code %d, want %d:\n%s", code, want, said)
	}
	_, said, found := strings.Cut("\n"+said, "\nerror: ")
	if lines := strings.Split(strings.TrimSpace(said), "\n"); !found || len(lines) != 2 || lines[0] == "" || lines[1] == "" {
		t.Errorf("not one sentence of what happened and one of what to do:\n%s", said)
	}
	for _, word := range []string{"goroutine", "Go struct", "*errors", "%!", "unmarshal", os.TempDir(), ".kubectl-kubeflow-archives", "accumulat", "evalsymlink", "<nil>"} {
		if strings.Contains(said, word) {
			t.Errorf("%q means nothing to a user:\n%s", word, said)
		}
	}
}

func inCell(sentence string) string {
	return strings.NewReplacer("|", "\\|", "<", "&lt;", "*", "\\*").Replace(sentence)
}

// badInternet has a few addresses; there is nothing at any other.
func badInternet(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodConnect: // https, which a test's server cannot be
		w.WriteHeader(http.StatusForbidden)
	case strings.HasSuffix(r.URL.Path, "/page.tar.gz"), strings.HasSuffix(r.URL.Path, "/page.yaml"):
		fmt.Fprint(w, "<!DOCTYPE html><html><title>Sign in</title></html>")
	case strings.HasSuffix(r.URL.Path, "/private.yaml"):
		w.WriteHeader(http.StatusUnauthorized)
	case strings.HasSuffix(r.URL.Path, "/circle.yaml"):
		http.Redirect(w, r, r.URL.String(), http.StatusFound)
	case strings.HasSuffix(r.URL.Path, "/away.yaml"):
		http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
	case strings.HasSuffix(r.URL.Path, "/empty.yaml"):
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// deadCluster is a kubeconfig whose server does not answer.
const deadCluster = `apiVersion: v1
kind: Config
current-context: nowhere
clusters: [{name: nowhere, cluster: {server: "https://127.0.0.1:1"}}]
contexts:
- {name: nowhere, context: {cluster: nowhere, user: nobody}}
- {name: half, context: {cluster: absent, user: nobody}}
users: [{name: nobody, user: {}}]
`
