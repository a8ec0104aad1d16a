package ui

import (
	"fmt"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// ReportPrometheus writes a report in the text exposition format of Prometheus, for node_exporter's textfile collector or a Pushgateway. Labels
// have checks and severities only: the names of objects are others' to choose, and without a limit.
func (s *Screen) ReportPrometheus(r *doctor.Report) error {
	var b strings.Builder
	metric(&b, "kubeflow_doctor_info", "What was diagnosed.")
	sample(&b, "kubeflow_doctor_info", 1, "context", r.Context, "kubernetes", r.Kubernetes, "namespace", r.Namespace, "release", r.Release.Name)
	metric(&b, "kubeflow_doctor_check_status", "How a check ended: the sample with its status is 1.")
	for _, c := range r.Checks {
		sample(&b, "kubeflow_doctor_check_status", 1, "check", c.ID, "code", c.Code, "status", string(c.Status))
	}
	metric(&b, "kubeflow_doctor_findings", "Findings of a check, by severity.")
	for _, c := range r.Checks {
		if c.Status != doctor.OK && c.Status != doctor.Found {
			continue // unknown is not zero
		}
		bySeverity := map[doctor.Severity]int{}
		for _, f := range c.Findings {
			bySeverity[f.Severity]++
		}
		for _, severity := range []doctor.Severity{doctor.Error, doctor.Warning, doctor.Info} {
			sample(&b, "kubeflow_doctor_findings", bySeverity[severity], "check", c.ID, "code", c.Code, "severity", string(severity))
		}
	}
	_, err := fmt.Fprint(s.Out, b.String())
	return err
}

func metric(b *strings.Builder, name, help string) {
	fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
}

// labelValues escapes what the format demands, and replaces other control characters.
var labelValues = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// sample writes a sample with labels: names and values in turn.
func sample(b *strings.Builder, name string, value int, labels ...string) {
	pairs := make([]string, 0, len(labels)/2)
	for i := 0; i+1 < len(labels); i += 2 {
		pairs = append(pairs, labels[i]+`="`+labelValues.Replace(strings.ToValidUTF8(labels[i+1], "?"))+`"`)
	}
	fmt.Fprintf(b, "%s{%s} %d\n", name, strings.Join(pairs, ","), value)
}
