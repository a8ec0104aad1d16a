package main

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

// sameReport: "samereport LIVE SAVED" compares the report of a cluster with that of its bundle. A bundle has only the fields that
// checks read, so a diff has fewer lines around what changes, at other positions: of diffs, the changed lines are compared.
func sameReport(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: samereport LIVE SAVED")
	}
	var reports [2]map[string]any
	for i, file := range args {
		ts.Check(json.Unmarshal([]byte(ts.ReadFile(file)), &reports[i]))
		delete(reports[i], "source")
		withoutInstallation(reports[i])
		onlyChangedLines(reports[i])
	}
	if diff := cmp.Diff(reports[0], reports[1]); diff != "" {
		ts.Fatalf("%s and %s differ (-cluster +bundle): if a check reads a field that bundles do not keep, add it to pkg/doctor/checks/kept.go\n%s", args[0], args[1], diff)
	}
}

// withoutInstallation removes what compares a cluster with the record of its installation, which a bundle does not hold.
func withoutInstallation(report map[string]any) {
	delete(report, "summary")
	checks, _ := report["checks"].([]any)
	report["checks"] = slices.DeleteFunc(checks, func(check any) bool {
		m, _ := check.(map[string]any)
		id, _ := m["id"].(string)
		return strings.HasPrefix(id, "installation/")
	})
}

// settled: "settled" waits until two reports of the cluster, one after another, are the same: what has just been created still changes.
func settled(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: settled")
	}
	last := ""
	for range 30 {
		_ = ts.Exec("kubectl-kubeflow", "doctor", "-o", "json") // its exit code is that of the findings
		now := ts.ReadFile("stdout")
		if now == last {
			return
		}
		last = now
		time.Sleep(2 * time.Second)
	}
	ts.Fatalf("the cluster still changes:\n%s", last)
}

func onlyChangedLines(v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			diff, ok := value.(string)
			if key != "diff" || !ok {
				onlyChangedLines(value)
				continue
			}
			var changed []string
			for line := range strings.Lines(diff) {
				if strings.HasPrefix(line, "+") || strings.HasPrefix(line, "-") {
					changed = append(changed, line)
				}
			}
			v[key] = strings.Join(changed, "")
		}
	case []any:
		for _, item := range v {
			onlyChangedLines(item)
		}
	}
}
