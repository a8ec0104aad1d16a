//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/faultproxy"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/sandboxtest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// TestDoctorLooksThroughFaults looks at a healthy Kubeflow through a proxy that misbehaves: what passes leaves the report as it
// is, and what does not is "unknown" with its reason, never a finding.
func TestDoctorLooksThroughFaults(t *testing.T) {
	sandboxtest.Needed(t)
	kubeconfig, stop := sandboxtest.Start("--kubernetes=1.35", "--scenario=healthy-26.03")
	defer stop()
	whole := look(t, kubeconfig, exitOK)
	for _, c := range []struct {
		name  string
		rules []faultproxy.Rule
		code  int
	}{
		{name: "slow", rules: []faultproxy.Rule{{Verb: "GET", Do: faultproxy.Slow(300 * time.Millisecond)}}},
		{name: "answers that break off", rules: []faultproxy.Rule{{Verb: "GET", After: 5, Times: 2, Do: faultproxy.ResetMidway}}},
		{name: "busy for a moment", rules: []faultproxy.Rule{{Verb: "GET", After: 3, Times: 2, Do: faultproxy.Answer(503, "busy")}}},
		{name: "throttled", rules: []faultproxy.Rule{{Verb: "GET", After: 3, Times: 6, Do: faultproxy.AnswerLater(429, "too many requests", 1)}}},
		{name: "one kind does not answer", rules: []faultproxy.Rule{{Path: "/endpointslices", Do: faultproxy.Answer(503, "busy")}}, code: exitError},
		{name: "one kind is forbidden", rules: []faultproxy.Rule{{Path: "/secrets", Do: faultproxy.Answer(403, "no")}}, code: exitError},
		{name: "one kind is cut off", rules: []faultproxy.Rule{{Path: "/configmaps", Do: faultproxy.ResetMidway}}, code: exitError},
	} {
		t.Run(c.name, func(t *testing.T) {
			proxy := faultproxy.Start(t, kubeconfig)
			proxy.Add(c.rules...)
			got := look(t, proxy.Kubeconfig, c.code)
			if proxy.Hits() == 0 {
				t.Error("the fault never came")
			}
			unknown := 0
			for i, check := range got.Checks {
				was := whole.Checks[i]
				if check.Status == doctor.Unknown {
					unknown++
				} else if check.Status != was.Status || len(check.Findings) != len(was.Findings) {
					t.Errorf("%s is %s with %d findings (%s), and was %s with %d", check.ID, check.Status, len(check.Findings), check.Reason, was.Status, len(was.Findings))
				}
				if strings.Contains(check.Reason, "broke: ") {
					t.Errorf("%s: %s", check.ID, check.Reason)
				}
			}
			if (unknown > 0) != (c.code == exitError) {
				t.Errorf("%d checks could not look", unknown)
			}
		})
	}
}

// look runs doctor and returns its report.
func look(t *testing.T, kubeconfig string, code int) doctor.Report {
	t.Helper()
	var out, said bytes.Buffer
	if got := run([]string{"doctor", "-o", "json", "--kubeconfig", kubeconfig, "--cache-dir", t.TempDir()}, strings.NewReader(""), &out, &said); got != code {
		t.Errorf("exit code %d, want %d: %s", got, code, said.String())
	}
	var report doctor.Report
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	return report
}
