package checks

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

const pages = "../../../docs/checks/"

// TestPagesAreCurrent compares docs/checks with what the checks and their cases say.
func TestPagesAreCurrent(t *testing.T) {
	want := map[string]string{"README.md": index()}
	for _, c := range Every() {
		want[c.Slug()+".md"] = page(t, c)
	}
	for name, content := range want {
		if *update {
			if err := os.WriteFile(pages+name, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if got, err := os.ReadFile(pages + name); err != nil || string(got) != content {
			t.Errorf("docs/checks/%s is out of date (%v); make golden rewrites it", name, err)
		}
	}
	files, err := filepath.Glob(pages + "*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if _, ok := want[filepath.Base(f)]; !ok {
			t.Errorf("%s belongs to no check", f)
		}
	}
}

func index() string {
	var b strings.Builder
	b.WriteString("# Checks\n\nWhat `kubectl kubeflow doctor` checks. Each title is true if the check passes. The code of a check stays the same when its ID changes, and is never used again.\n\n| code | check | passes if |\n|---|---|---|\n")
	for _, c := range Every() {
		fmt.Fprintf(&b, "| %s | [%s](%s.md) | %s |\n", c.Code(), c.ID, c.Slug(), c.Title)
	}
	b.WriteString("\nThese pages are generated from the checks and their cases (pkg/doctor/checks); `make golden` rewrites them.\n")
	return b.String()
}

func page(t *testing.T, c *doctor.Check) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s (%s)\n\nPasses if: %s.\n\n## Why it matters\n\n%s\n\n## What --fix does\n\n%s\n\n", c.ID, c.Code(), c.Title, c.Why, c.FixNote)
	fmt.Fprintf(&b, "```\nkubectl kubeflow doctor %s\nkubectl kubeflow doctor %s --fix --dry-run\n```\n\n", c.ID, c.ID)
	b.WriteString(byHand(t, c))
	b.WriteString("## What it reads\n\nIt needs `get` and `list` on:\n\n")
	for _, kind := range c.Reads {
		fmt.Fprintf(&b, "- %s\n", kind)
	}
	b.WriteString("\n## Known cases\n\n| case | result |\n|---|---|\n")
	paths, err := filepath.Glob(casesOf(c))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		comment := strings.Join(strings.Fields(string(a.Comment)), " ")
		fmt.Fprintf(&b, "| %s | %s |\n", comment, strings.ReplaceAll(verdict(file(a, "want")), "|", "\\|"))
	}
	if links := c.Links(); len(links) > 0 {
		b.WriteString("\n## Sources\n\n")
		for i, link := range links {
			fmt.Fprintf(&b, "- [%s](%s)\n", strings.TrimPrefix(c.Sources[i], "https://"), link)
		}
	}
	return b.String()
}

// byHand returns the commands in the check's findings, without duplicates.
func byHand(t *testing.T, c *doctor.Check) string {
	var commands []string
	paths, _ := filepath.Glob(casesOf(c))
	for _, path := range paths {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(file(a, "want")) {
			if command, ok := strings.CutPrefix(line, "  command: "); ok && !slices.Contains(commands, command) {
				commands = append(commands, command)
			}
		}
	}
	if len(commands) == 0 {
		return ""
	}
	return "## Manual fix\n\nReplace the example names with yours:\n\n```\n" + strings.Join(commands, "") + "```\n\n"
}

// verdict returns the first line of a case's expected result.
func verdict(want string) string {
	lines := strings.Split(want, "\n")
	if lines[0] == string(doctor.Found) && len(lines) > 2 {
		return lines[2]
	}
	return lines[0]
}
