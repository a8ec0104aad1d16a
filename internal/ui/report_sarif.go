package ui

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// The parts of SARIF 2.1.0 (OASIS) that a report needs. Field names are the standard's.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string    `json:"id"`
		ShortDescription sarifText `json:"shortDescription"`
		FullDescription  sarifText `json:"fullDescription"`
		HelpURI          string    `json:"helpUri"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifInvocation struct {
		ExecutionSuccessful bool          `json:"executionSuccessful"`
		Notifications       []sarifNotice `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotice struct {
		Level      string    `json:"level"`
		Message    sarifText `json:"message"`
		Descriptor sarifRef  `json:"associatedRule"`
	}
	sarifRef struct {
		ID    string `json:"id"`
		Index int    `json:"index"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Logical  []sarifLogical `json:"logicalLocations"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
		Kind string `json:"kind"`
	}
)

var sarifLevels = map[doctor.Severity]string{doctor.Error: "error", doctor.Warning: "warning", doctor.Info: "note"}

// ReportSARIF writes a report as SARIF 2.1.0, for tools that collect findings. A finding's place is an object of the
// cluster, and the manifests where it was read from some.
func (s *Screen) ReportSARIF(r *doctor.Report, checks []*doctor.Check, version string) error {
	run := sarifRun{
		Tool:        sarifTool{sarifDriver{Name: "kubectl kubeflow doctor", Version: version, InformationURI: "https://github.com/kubectl-kubeflow/kubectl-kubeflow", Rules: []sarifRule{}}},
		Invocations: []sarifInvocation{{ExecutionSuccessful: len(r.Blind()) == 0 && r.Error == ""}},
		Results:     []sarifResult{},
	}
	index := map[string]int{}
	for i, c := range checks {
		index[c.ID] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{c.ID, sarifText{c.Title + "."}, sarifText{c.Why}, c.Page()})
	}
	for _, c := range r.Checks {
		if c.Status == doctor.Unknown {
			run.Invocations[0].Notifications = append(run.Invocations[0].Notifications,
				sarifNotice{"warning", sarifText{"Could not run: " + c.Reason}, sarifRef{c.ID, index[c.ID]}})
		}
	}
	for _, p := range r.Problems() {
		id, f := p.Check.ID, *p.Finding
		run.Results = append(run.Results, sarifResult{id, index[id], sarifLevels[f.Severity], sarifText{describe(f)}, []sarifLocation{place(r, f)}})
	}
	var document bytes.Buffer
	encoder := json.NewEncoder(&document)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}}); err != nil {
		return err
	}
	_, err := s.Out.Write(escape.JSON(document.Bytes()))
	return err
}

func place(r *doctor.Report, f doctor.Finding) sarifLocation {
	l := sarifLocation{Logical: []sarifLogical{{f.About.String(), "object"}}}
	if r.Source != "" && r.Source != "-" {
		l.Physical = &sarifPhysical{sarifArtifact{strings.ReplaceAll(r.Source, " ", "%20")}}
	}
	return l
}

// describe returns a finding as one text: what is wrong, what that does, why, and what to do.
func describe(f doctor.Finding) string {
	sentences := []string{f.Message + "."}
	for _, more := range []string{f.Consequence, f.Cause, f.Advice} {
		if more != "" {
			sentences = append(sentences, more)
		}
	}
	if f.ExplainedBy != "" {
		sentences = append(sentences, "Explained by "+f.ExplainedBy+".")
	}
	if f.Fix != nil {
		sentences = append(sentences, "Fix: "+f.Fix.Title+risk(f.Fix.Impact)+".")
	}
	return strings.Join(sentences, " ")
}
