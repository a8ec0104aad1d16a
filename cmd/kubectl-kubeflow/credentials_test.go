package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/klog/v2"
)

const planted = "hUnter2xPlanted"

// refusing is an API server that quotes credentials in every message.
func refusing(used *bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		*used = *used || strings.Contains(r.Header.Get("Authorization"), planted) || password == planted
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/version":
			fmt.Fprint(w, `{"major":"1","minor":"35","gitVersion":"v1.35.4"}`)
			return
		case "/api":
			fmt.Fprint(w, `{"kind":"APIVersions","versions":["v1"]}`)
			return
		case "/apis":
			fmt.Fprint(w, `{"kind":"APIGroupList","apiVersion":"v1","groups":[]}`)
			return
		case "/api/v1":
			fmt.Fprint(w, `{"kind":"APIResourceList","groupVersion":"v1","resources":[{"name":"secrets","kind":"Secret","namespaced":true,"verbs":["get","list","create","patch","delete"]},{"name":"namespaces","kind":"Namespace","verbs":["get","list","create","patch"]},{"name":"pods","kind":"Pod","namespaced":true,"verbs":["get","list"]},{"name":"configmaps","kind":"ConfigMap","namespaced":true,"verbs":["get","list","patch","create"]},{"name":"services","kind":"Service","namespaced":true,"verbs":["get","list","patch","create"]},{"name":"nodes","kind":"Node","verbs":["get","list"]}]}`)
			return
		}
		message := `Secret "a" is invalid: data[k]: Invalid value: "` + planted + `": refused; patch: Invalid value: "{\"data\":{\"password\":\"` + planted + `\"}}"; token=` + planted + `; Authorization: Bearer ` + planted + `; https://u:` + planted + `@db/x`
		status := map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": "Invalid", "code": 422,
			"details": map[string]any{"name": "a", "kind": "Secret", "causes": []any{map[string]any{"reason": "FieldValueInvalid", "message": `Invalid value: "` + planted + `"`, "field": "data[k]"}}}}
		w.WriteHeader(http.StatusUnprocessableEntity)
		_ = json.NewEncoder(w).Encode(status)
	})
}

// TestNoCommandShowsCredentials runs the commands with credentials in the kubeconfig, in proxy variables and in what the API
// server answers, with client-go's log at its highest verbosity.
func TestNoCommandShowsCredentials(t *testing.T) {
	verbose := flag.NewFlagSet("klog", flag.PanicOnError)
	klog.InitFlags(verbose)
	_ = verbose.Set("v", "9")
	defer func() { _ = verbose.Set("v", "0") }()
	work := t.TempDir()
	t.Chdir(work)
	t.Setenv("HOME", work)
	t.Setenv("XDG_CACHE_HOME", work)
	write(t, "secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: default}\nstringData: {k: "+planted+", password: "+planted+"}\n")
	write(t, "pw", planted)
	write(t, "users.csv", "email,profile,contributor-of\nann@example.com,ann,ben\n")
	write(t, "tls.crt", planted)
	write(t, "tls.key", "-----BEGIN PRIVATE KEY-----\n"+planted+"\n-----END PRIVATE KEY-----\n")
	write(t, "plugin", "#!/bin/sh\necho '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\""+planted+"\"}}'\n")
	if err := os.Chmod("plugin", 0o755); err != nil {
		t.Fatal(err)
	}
	users := map[string]string{
		"token":    "token: " + planted,
		"password": "username: u\n    password: " + planted,
		"exec":     "exec: {apiVersion: client.authentication.k8s.io/v1, command: " + filepath.Join(work, "plugin") + ", interactiveMode: Never}",
	}
	commands := [][]string{
		{"doctor"}, {"doctor", "-o", "json"}, {"doctor", "-o", "yaml"}, {"doctor", "--fix", "--yes", "--dex-password", "pw"}, {"doctor", "--undo=list"},
		{"status"}, {"status", "-o", "json"}, {"install", "-f", "secret.yaml", "--yes"}, {"install", "-f", "secret.yaml", "--yes", "-o", "json"}, {"install", "-f", "secret.yaml", "--dry-run=client"},
		{"uninstall", "--yes"}, {"expose", "--lb", "--yes"}, {"expose", "--lb", "--tls-secret", "a", "--yes"}, {"bundle", "-O", "-"}, {"version"}, {"doctor", "-v=9"},
		{"auth"}, {"auth", "-o", "json"}, {"auth", "password", "--from-file", "pw", "--yes"}, {"auth", "rotate-secrets", "--yes"}, {"auth", "user", "list"}, {"auth", "user", "add", "-f", "users.csv", "--yes"}, {"auth", "user", "remove", "ann@example.com", "--yes"},
		{"verify", "login", "--password-file", "pw", "--timeout=1s"}, {"verify", "login", "--password-file", "pw", "--timeout=1s", "-o", "json"}, {"verify", "--cleanup"}, {"upgrade", "--backup", "backup.yaml", "--yes"}, {"upgrade", "--yes", "-o", "json"},
		{"logs", "pipelines"}, {"logs", "pipelines", "-o", "json"}, {"restart", "pipelines", "--yes"}, {"diff", "-f", "secret.yaml"}, {"build", "-f", "secret.yaml", "--dir", "app", "--format=argocd"}, {"build", "--dir", "app", "--format=flux"},
	}
	for name, user := range users {
		used := false
		server := httptest.NewTLSServer(refusing(&used))
		defer server.Close()
		address := strings.Replace(server.URL, "://", "://u:"+planted+"@", 1)
		write(t, "kubeconfig", fmt.Sprintf("apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: %q, insecure-skip-tls-verify: true}}]\nusers:\n- name: u\n  user:\n    %s\n", map[bool]string{true: address, false: server.URL}[name == "token"], user))
		t.Setenv("KUBECONFIG", filepath.Join(work, "kubeconfig"))
		for _, args := range commands {
			showsNone(t, name, args)
		}
		if !used && !t.Failed() {
			t.Errorf("%s: no request was made with the credentials", name)
		}
	}
	for _, proxy := range []string{"http://u:" + planted + "@127.0.0.1:1", "http://u:" + planted + "@a b", "u:" + planted + "%@h", "socks5://u:" + planted + "@127.0.0.1:1"} {
		write(t, "kubeconfig", fmt.Sprintf("apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: 'https://192.0.2.1', proxy-url: %q}}]\nusers: [{name: u, user: {token: %s}}]\n", proxy, planted))
		showsNone(t, "proxy "+proxy, []string{"doctor"})
		showsNone(t, "proxy "+proxy, []string{"status", "-o", "json"})
	}
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// showsNone runs a command, and looks for what is planted in its streams and in what libraries write to the process's own.
func showsNone(t *testing.T, what string, args []string) {
	t.Helper()
	direct, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stderr
	os.Stderr = direct
	var out, errOut bytes.Buffer
	run(args, strings.NewReader(""), &out, &errOut)
	os.Stderr = before
	_, _ = direct.Seek(0, io.SeekStart)
	written, err := io.ReadAll(direct)
	if err != nil {
		t.Fatal(err)
	}
	for stream, text := range map[string]string{"stdout": out.String(), "stderr": errOut.String(), "the process's stderr": string(written)} {
		if at := strings.Index(text, planted); at >= 0 {
			t.Errorf("%s: %v shows a credential on %s:\n%s", what, args, stream, text[max(0, at-300):min(len(text), at+100)])
		}
	}
	t.Logf("%s: %v: %d and %d bytes; %.160s", what, args, out.Len(), errOut.Len(), strings.ReplaceAll(errOut.String(), "\n", " | "))
}
