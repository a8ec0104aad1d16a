//go:build unix

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/faultproxy"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/sandboxtest"
)

// TestFaultsAreSurvivedOrEndWithTheirSentence runs the program, as a user types it, against a real API server through a
// proxy that misbehaves: what it exits with and what it says, and that the same command finishes it afterwards.
func TestFaultsAreSurvivedOrEndWithTheirSentence(t *testing.T) {
	sandboxtest.Needed(t)
	kubeconfig, stop := sandboxtest.Start("--kubernetes=1.35")
	defer stop()
	t.Setenv("NO_COLOR", "1")
	for _, c := range []struct {
		name  string
		rules []faultproxy.Rule
		flags []string
		code  int
		says  []string
	}{
		{name: "busy", rules: []faultproxy.Rule{{Verb: "PATCH", Times: 5, Do: faultproxy.Answer(503, "the server is currently unable to handle the request")}}},
		{name: "throttled", rules: []faultproxy.Rule{{Verb: "PATCH", Times: 3, Do: faultproxy.AnswerLater(429, "too many requests", 1)}}},
		{name: "cut-off", rules: []faultproxy.Rule{{Verb: "PATCH", After: 1, Times: 4, Do: faultproxy.ResetMidway}, {Verb: "GET", After: 8, Times: 2, Do: faultproxy.ResetMidway}}},
		{name: "slow", rules: []faultproxy.Rule{{Times: 12, Do: faultproxy.Slow(time.Second)}}},
		{name: "signed-out", rules: []faultproxy.Rule{{Verb: "PATCH", After: 1, Do: faultproxy.Answer(401, "the token has expired")}}, code: exitError,
			says: []string{"error: ", "Sign in again, then run the same command again"}},
		{name: "forbidden", rules: []faultproxy.Rule{{Verb: "PATCH", Path: "/configmaps/prices", Do: faultproxy.Answer(403, "admission policy no-prices denied the request")}}, code: exitError,
			says: []string{"error: ", "no-prices denied the request"}},
		{name: "gone", rules: []faultproxy.Rule{{Verb: "PATCH", After: 1, Do: faultproxy.Reset}}, flags: []string{"--timeout=6s"}, code: exitTimeout,
			says: []string{"error: ", "un the same command again to "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			proxy := faultproxy.Start(t, kubeconfig)
			proxy.Add(c.rules...)
			file := filepath.Join(t.TempDir(), c.name+".yaml")
			if err := os.WriteFile(file, []byte(strings.ReplaceAll(store, "store", c.name)), 0o600); err != nil {
				t.Fatal(err)
			}
			command := append([]string{"install", "-f", file, "--yes", "--kubeconfig", proxy.Kubeconfig, "--cache-dir", t.TempDir()}, c.flags...)
			var out, said bytes.Buffer
			if code := run(command, strings.NewReader(""), &out, &said); code != c.code {
				t.Errorf("exit code %d, want %d:\n%s%s", code, c.code, out.String(), said.String())
			}
			for _, sentence := range c.says {
				if !strings.Contains(said.String(), sentence) {
					t.Errorf("it does not say %q:\n%s", sentence, said.String())
				}
			}
			if proxy.Hits() == 0 {
				t.Error("the fault never came")
			}
			proxy.Clear()
			out.Reset()
			said.Reset()
			if code := run(command[:len(command)-len(c.flags)], strings.NewReader(""), &out, &said); code != exitOK || !strings.Contains(out.String(), "is ready") {
				t.Errorf("the same command afterwards: exit code %d:\n%s%s", code, out.String(), said.String())
			}
		})
	}
}

const store = `
{apiVersion: v1, kind: Namespace, metadata: {name: store}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: prices, namespace: store}, data: {tea: "2"}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: clerk, namespace: store}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: counter, namespace: store}
spec:
  selector: {matchLabels: {app: counter}}
  template:
    metadata: {labels: {app: counter}}
    spec: {containers: [{name: counter, image: "example.org/counter:1"}]}
`

// TestAFullQuotaEndsWithItsSentence has a namespace that takes no pod.
func TestAFullQuotaEndsWithItsSentence(t *testing.T) {
	sandboxtest.Needed(t)
	kubeconfig, stop := sandboxtest.Start("--kubernetes=1.35")
	defer stop()
	file := filepath.Join(t.TempDir(), "full.yaml")
	quota := "---\n" + `{apiVersion: v1, kind: ResourceQuota, metadata: {name: none, namespace: store}, spec: {hard: {pods: "0"}}}` + "\n"
	if err := os.WriteFile(file, []byte(store+quota), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, said bytes.Buffer
	code := run([]string{"install", "-f", file, "--yes", "--suppress=preflight/quotas", "--timeout=15s", "--kubeconfig", kubeconfig, "--cache-dir", t.TempDir()}, strings.NewReader(""), &out, &said)
	if code != exitTimeout && code != exitError || !strings.Contains(said.String(), "exceeded quota: none") || !strings.Contains(said.String(), "Deployment/store/counter") {
		t.Errorf("exit code %d:\n%s%s", code, out.String(), said.String())
	}
}
