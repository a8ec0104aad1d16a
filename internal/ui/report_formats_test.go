package ui

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

func TestReportsForOtherProgramsKeepTheirShape(t *testing.T) {
	check := &doctor.Check{ID: "pipelines/executor", Title: "the workflow executor suits the container runtime", Why: "Steps hang."}
	for _, c := range []struct {
		name  string
		write func(*Screen) error
	}{
		{"report.md", func(s *Screen) error { return s.ReportMarkdown(aReport()) }},
		{"report.xml", func(s *Screen) error { return s.ReportJUnit(aReport(), doctor.Error) }},
		{"report.sarif", func(s *Screen) error { return s.ReportSARIF(aReport(), []*doctor.Check{check}, "v0.0.0") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := c.write(&Screen{Out: &out, Width: 80, Unicode: true}); err != nil {
				t.Fatal(err)
			}
			path := "testdata/" + c.name
			if *updateReports {
				if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil || out.String() != string(want) {
				t.Errorf("got\n%s\nwant (make golden rewrites it), %v\n%s", out.String(), err, want)
			}
		})
	}
}

// TestSARIFHasWhatItsSchemaAsksFor holds the rules of SARIF 2.1.0 that readers stumble over: required fields, known
// levels, rules that results point to, and URIs.
func TestSARIFHasWhatItsSchemaAsksFor(t *testing.T) {
	r := aReport()
	r.Source = "my manifests/all.yaml"
	var checks []*doctor.Check
	for _, c := range r.Checks {
		checks = append(checks, &doctor.Check{ID: c.ID, Title: c.Title, Why: "Because."})
	}
	var out bytes.Buffer
	if err := (&Screen{Out: &out}).ReportSARIF(r, checks, ""); err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	decoder := json.NewDecoder(&out)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&log); err != nil {
		t.Fatal(err)
	}
	if log.Version != "2.1.0" || len(log.Runs) != 1 || log.Runs[0].Tool.Driver.Name == "" || log.Runs[0].Invocations[0].ExecutionSuccessful != (len(r.Blind()) == 0) {
		t.Errorf("the log is %+v", log)
	}
	run := log.Runs[0]
	if len(run.Results) != 5 || len(run.Invocations[0].Notifications) != 1 {
		t.Errorf("%d results and %d notifications, want 5 and 1", len(run.Results), len(run.Invocations[0].Notifications))
	}
	for _, result := range run.Results {
		switch {
		case run.Tool.Driver.Rules[result.RuleIndex].ID != result.RuleID:
			t.Errorf("%s points to rule %d, which is another", result.RuleID, result.RuleIndex)
		case result.Level != "error" && result.Level != "warning" && result.Level != "note":
			t.Errorf("there is no level %q", result.Level)
		case result.Message.Text == "" || result.Locations[0].Logical[0].Name == "":
			t.Errorf("%+v lacks its text or its place", result)
		case result.Locations[0].Physical.Artifact.URI != "my%20manifests/all.yaml":
			t.Errorf("%q is no URI", result.Locations[0].Physical.Artifact.URI)
		}
	}
}

func TestJUnitCountsWhatItHolds(t *testing.T) {
	for failOn, failures := range map[doctor.Severity]int{doctor.Error: 2, doctor.Info: 3} {
		var out bytes.Buffer
		if err := (&Screen{Out: &out}).ReportJUnit(aReport(), failOn); err != nil {
			t.Fatal(err)
		}
		var all junitSuites
		if err := xml.Unmarshal(out.Bytes(), &all); err != nil {
			t.Fatal(err)
		}
		if all.Tests != 6 || all.Failures != failures || all.Errors != 1 || all.Skipped != 1 {
			t.Errorf("from %s on: %d tests, %d failures, %d errors, %d skipped", failOn, all.Tests, all.Failures, all.Errors, all.Skipped)
		}
	}
}

// TestPrometheusTextIsWellFormed holds the rules of the text exposition format: a HELP and a TYPE line before the samples of a metric, all of them
// together, escaped labels, and no sample twice.
func TestPrometheusTextIsWellFormed(t *testing.T) {
	r := aReport()
	r.Context = "a \"strange\"\\ name\nof two lines"
	for i := range r.Checks {
		r.Checks[i].Code = fmt.Sprintf("KF%d", 1001+i)
	}
	var out bytes.Buffer
	if err := (&Screen{Out: &out}).ReportPrometheus(r); err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`^([a-z_]+)\{([a-z]+="([^"\\\n]|\\["\\n])*"(,[a-z]+="([^"\\\n]|\\["\\n])*")*)?\} [0-9]+$`)
	seen, metrics, current := map[string]bool{}, map[string]bool{}, ""
	for text := range strings.Lines(out.String()) {
		text = strings.TrimSuffix(text, "\n")
		switch fields := strings.Fields(text); {
		case strings.HasPrefix(text, "# HELP "):
			current = fields[2]
			if metrics[current] {
				t.Errorf("metric %s comes twice", current)
			}
			metrics[current] = true
		case strings.HasPrefix(text, "# TYPE "):
			if fields[2] != current || fields[3] != "gauge" {
				t.Errorf("%q follows the HELP of %s", text, current)
			}
		default:
			m := line.FindStringSubmatch(text)
			if m == nil || m[1] != current || seen[text] {
				t.Errorf("%q is no sample of %s, or comes twice", text, current)
			}
			seen[text] = true
		}
	}
	for _, wanted := range []string{`context="a \"strange\"\\ name\nof two lines"`, `severity="error"} `, `status="found"} 1`} {
		if !strings.Contains(out.String(), wanted) {
			t.Errorf("%s is missing in\n%s", wanted, out.String())
		}
	}
}
