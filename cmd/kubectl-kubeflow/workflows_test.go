package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

var pinned = regexp.MustCompile(`^\s*(?:- )?uses: ([\w.-]+/[\w./-]+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+$`)

// A workflow is what of a workflow decides what its actions can do.
type workflow struct {
	Permissions map[string]string
	Jobs        map[string]struct {
		Steps []struct{ Run string }
	}
}

// TestActionsArePinnedByTheirCommits demands that nobody but this repository can change what its workflows run.
func TestActionsArePinnedByTheirCommits(t *testing.T) {
	files, err := filepath.Glob("../../.github/workflows/*.y*ml")
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	scans, actions := false, 0
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(content)) {
			if line = strings.TrimRight(line, "\n"); !strings.Contains(line, "uses:") || strings.HasPrefix(strings.TrimSpace(line), "#") {
				continue
			}
			actions++
			if !pinned.MatchString(line) {
				t.Errorf("%s: %q is not pinned: name the commit, and the version behind it in a comment", filepath.Base(file), strings.TrimSpace(line))
			}
		}
		var w workflow
		if err := yaml.Unmarshal(content, &w); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if w.Permissions == nil {
			t.Errorf("%s: it has all permissions: name those that it needs", filepath.Base(file))
		}
		for _, job := range w.Jobs {
			for _, step := range job.Steps {
				scans = scans || strings.Contains(step.Run, "make vulnerabilities")
			}
		}
	}
	if !scans || actions < 10 {
		t.Errorf("%d actions; a scan for vulnerabilities: %v", actions, scans)
	}
}
