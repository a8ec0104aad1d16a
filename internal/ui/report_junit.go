package ui

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// What CI systems read as JUnit: a suite for each area, a case for each check.
type (
	junitSuites struct {
		XMLName  xml.Name      `xml:"testsuites"`
		Name     string        `xml:"name,attr"`
		Tests    int           `xml:"tests,attr"`
		Failures int           `xml:"failures,attr"`
		Errors   int           `xml:"errors,attr"`
		Skipped  int           `xml:"skipped,attr"`
		Suites   []*junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string       `xml:"classname,attr"`
		Name    string       `xml:"name,attr"`
		Failure *junitReason `xml:"failure,omitempty"`
		Error   *junitReason `xml:"error,omitempty"`
		Skipped *junitReason `xml:"skipped,omitempty"`
		Out     string       `xml:"system-out,omitempty"`
	}
	junitReason struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// ReportJUnit writes a report as JUnit XML. Findings from a severity on are failures, lesser ones are said in their
// case; a check that could not look is an error, one that does not apply is skipped.
func (s *Screen) ReportJUnit(r *doctor.Report, failOn doctor.Severity) error {
	all := junitSuites{Name: "kubectl kubeflow doctor"}
	for _, c := range r.Checks {
		area, _, _ := strings.Cut(c.ID, "/")
		if n := len(all.Suites); n == 0 || all.Suites[n-1].Name != area {
			all.Suites = append(all.Suites, &junitSuite{Name: area})
		}
		all.Suites[len(all.Suites)-1].add(junitOf(c, failOn))
	}
	for _, suite := range all.Suites {
		all.Tests, all.Failures, all.Errors, all.Skipped = all.Tests+suite.Tests, all.Failures+suite.Failures, all.Errors+suite.Errors, all.Skipped+suite.Skipped
	}
	return s.junit(all)
}

// junit writes suites as JUnit XML.
func (s *Screen) junit(all junitSuites) error {
	if _, err := io.WriteString(s.Out, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(s.Out)
	encoder.Indent("", "  ")
	if err := encoder.Encode(all); err != nil {
		return err
	}
	_, err := fmt.Fprintln(s.Out)
	return err
}

func (s *junitSuite) add(c junitCase) {
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

func junitOf(c doctor.CheckReport, failOn doctor.Severity) junitCase {
	out := junitCase{Class: c.ID, Name: c.Title}
	switch c.Status {
	case doctor.NotApplicable:
		out.Skipped = &junitReason{Message: c.Reason}
	case doctor.Unknown:
		out.Error = &junitReason{Message: c.Reason, Type: "unknown"}
	}
	var failures, others []string
	for _, f := range c.Findings {
		line := fmt.Sprintf("%s: %s: %s", f.Severity, f.About, describe(f))
		if f.Severity.AtLeast(failOn) {
			failures = append(failures, line)
		} else {
			others = append(others, line)
		}
	}
	if len(failures) > 0 {
		out.Failure = &junitReason{Message: c.Findings[0].Message, Type: string(c.Findings[0].Severity), Text: strings.Join(failures, "\n")}
	}
	out.Out = strings.Join(others, "\n")
	return out
}
