package ui

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/verify"
)

// A VerifyProgress shows one line per test: what it does now, or how it ended. Without a terminal it shows
// nothing: the report follows.
type VerifyProgress struct {
	screen *Screen
	mu     sync.Mutex
	order  []string
	lines  map[string]string
	drawn  []string
}

// NewVerifyProgress returns the progress of a run of tests.
func (s *Screen) NewVerifyProgress(tests []*verify.Test) *VerifyProgress {
	p := &VerifyProgress{screen: s, lines: map[string]string{}}
	for _, t := range tests {
		p.order = append(p.order, t.Name)
	}
	return p
}

// Event shows a step.
func (p *VerifyProgress) Event(e verify.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case e.Result != nil:
		p.lines[e.Test] = p.screen.verifyLine(*e.Result)
	case e.Test == "":
		p.lines[""] = p.screen.Sign("⠿", "..") + " " + Indented(e.Step)
	default:
		delete(p.lines, "")
		p.lines[e.Test] = fmt.Sprintf("%s %-10s %s", p.screen.Sign("⠿", ".."), e.Test, Indented(e.Step))
	}
	p.draw()
}

func (p *VerifyProgress) draw() {
	if !p.screen.Live {
		return
	}
	var lines []string
	for _, name := range append(p.order[:len(p.order):len(p.order)], "") {
		if line := p.lines[name]; line != "" {
			lines = append(lines, cut(line, p.screen.Width-1))
		}
	}
	picture := ""
	for _, line := range lines {
		picture += line + "\n"
	}
	fmt.Fprint(p.screen.ErrOut, upOver(p.drawn, p.screen.Width)+picture)
	p.drawn = lines
}

func cut(line string, width int) string {
	if runes := []rune(line); len(runes) > width && width > 0 {
		return string(runes[:width])
	}
	return line
}

// Done clears the live lines; the report follows.
func (p *VerifyProgress) Done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.drawn) > 0 {
		fmt.Fprint(p.screen.ErrOut, upOver(p.drawn, p.screen.Width))
		p.drawn = nil
	}
}

// verifyLine says how one test ended.
func (s *Screen) verifyLine(r verify.Result) string {
	took := r.Took.Round(100 * time.Millisecond).String()
	if r.Pulled >= 1 {
		took += fmt.Sprintf(", %.0fs of it pulling images", r.Pulled)
	}
	switch r.Status {
	case verify.Passed:
		line := fmt.Sprintf("%s %-10s passed (%s)", s.Done(), r.Test, took)
		if len(r.Details) > 0 {
			line += ": " + Indented(r.Details[len(r.Details)-1])
		}
		return line
	case verify.Failed:
		return fmt.Sprintf("%s %-10s failed (%s)", s.Paint(Red, s.Sign("✗", "x")), r.Test, took)
	}
	return fmt.Sprintf("- %-10s %s: %s", r.Test, map[verify.Status]string{verify.NotApplicable: "not applicable", verify.Interrupted: "not finished", verify.NotPermitted: "not permitted"}[r.Status], Indented(r.Reason))
}

// Verify shows a report: what failed and why, the layers, and the verdict last.
func (s *Screen) Verify(r *verify.Report) error {
	var b strings.Builder
	release := "Kubeflow"
	if r.Release != "" {
		release += " " + r.Release
	}
	fmt.Fprintf(&b, "%s, Kubernetes %s, namespace %s", release, strings.TrimPrefix(r.Kubernetes, "v"), r.Namespace)
	if r.User != "" {
		fmt.Fprintf(&b, ", user %s", r.User)
	}
	b.WriteString("\n")
	for _, result := range r.Results {
		fmt.Fprintln(&b, s.verifyLine(result))
		s.verifyGraph(&b, result)
		for _, layer := range result.Layers {
			if layer.Status != verify.Passed && result.Failure == nil {
				fmt.Fprintf(&b, "    %s not tested: %s\n", layer.Layer, Indented(layer.Reason))
			}
		}
		if result.Failure != nil {
			s.verifyFailure(&b, result)
		}
	}
	s.verifyMissing(&b, r)
	for _, left := range r.Left {
		fmt.Fprintf(&b, "! still there: %s\n", Indented(left))
	}
	if len(r.Left) > 0 {
		b.WriteString("  Remove it with: kubectl kubeflow verify --cleanup\n")
	}
	fmt.Fprintf(&b, "%s in %s\n", text.Capitalized(r.Summary()), (time.Duration(r.Seconds * float64(time.Second))).Round(100*time.Millisecond))
	_, err := io.WriteString(s.Out, b.String())
	return err
}

// verifyMissing says in one block what this user may not do, and the role that allows it.
func (s *Screen) verifyMissing(b *strings.Builder, r *verify.Report) {
	if len(r.Missing) == 0 {
		return
	}
	fmt.Fprintf(b, "? %s not permitted: this user is not allowed to do what %s\n", text.Plural(r.Count(verify.NotPermitted), "test"), text.Verb(r.Count(verify.NotPermitted), "it needs", "they need"))
	for i, p := range r.Missing {
		fmt.Fprintf(b, "    %-9s%s\n", map[bool]string{true: "Missing"}[i == 0], Indented(p.String()))
	}
	for i, grant := range r.Grants() {
		fmt.Fprintf(b, "    %-9s%s\n", map[bool]string{true: "Grant"}[i == 0], Indented(grant))
	}
	if r.UnknownImages() {
		b.WriteString("    Or       name the images: --image notebook=IMAGE --image shell=IMAGE\n")
	}
}

// verifyGraph draws the steps of a pipeline's run as a tree.
func (s *Screen) verifyGraph(b *strings.Builder, result verify.Result) {
	for _, step := range result.Graph {
		sign := map[string]string{"succeeded": s.Sign("✓", "ok"), "failed": s.Sign("✗", "x"), "error": s.Sign("✗", "x")}[step.State]
		if sign == "" {
			sign = "-"
		}
		fmt.Fprintf(b, "    %s%s %s  %s", strings.Repeat("  ", step.Depth), sign, Indented(step.Name), step.State)
		if step.Seconds > 0 {
			fmt.Fprintf(b, " (%.0fs)", step.Seconds)
		}
		b.WriteString("\n")
	}
}

func (s *Screen) verifyFailure(b *strings.Builder, result verify.Result) {
	f := result.Failure
	for _, layer := range result.Layers {
		fmt.Fprintf(b, "    %-9s%s\n", text.Capitalized(string(layer.Layer)), layer.Status)
	}
	fmt.Fprintf(b, "    Error    %s\n", Indented(f.Error()))
	for _, line := range f.Logs {
		fmt.Fprintf(b, "    Log      %s\n", Indented(line))
	}
	for i, e := range f.ExplainedBy {
		if i == 3 {
			break
		}
		fmt.Fprintf(b, "    Cause    %s: %s\n", e.ID, Indented(e.Message))
	}
	if f.Next != "" {
		fmt.Fprintf(b, "    Next     %s\n", Indented(f.Next))
	}
}

// VerifyJUnit writes a report as JUnit XML, a case for each test.
func (s *Screen) VerifyJUnit(r *verify.Report) error {
	suite := &junitSuite{Name: "verify"}
	for _, result := range r.Results {
		c := junitCase{Class: "verify." + result.Test, Name: result.Title, Out: strings.Join(result.Details, "\n")}
		switch result.Status {
		case verify.Failed:
			c.Failure = &junitReason{Message: result.Failure.Error(), Text: strings.Join(result.Failure.Logs, "\n")}
		case verify.NotApplicable, verify.NotPermitted:
			c.Skipped = &junitReason{Message: result.Reason}
		case verify.Interrupted:
			c.Error = &junitReason{Message: result.Reason, Type: "interrupted"}
		}
		suite.add(c)
	}
	if r.Error != "" {
		suite.add(junitCase{Class: "verify", Name: "The tests could run", Error: &junitReason{Message: r.Error}})
	}
	all := junitSuites{
		Name: "kubectl kubeflow verify", Tests: suite.Tests, Failures: suite.Failures, Errors: suite.Errors, Skipped: suite.Skipped, Suites: []*junitSuite{suite},
	}
	return s.junit(all)
}
