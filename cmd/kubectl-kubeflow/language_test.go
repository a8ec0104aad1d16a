package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
)

// avoided are phrases that are not Kubernetes' terms, each with what to write instead. A pattern has to be precise enough
// never to match a proper use: extend the pattern rather than excuse a text.
var avoided = []struct{ pattern, instead string }{
	{`\b(all|everything|is it|are|is) well\b`, "healthy, ready"},
	{`\bunwell\b|\bnot well\b|\bill\b`, "unhealthy, failing"},
	{`\bcur(e|es|ed|ing)\b`, "fix"},
	{`\bmend(s|ed|ing)?\b`, "fix, patch"},
	{`\b(take|takes|taken|took|taking) back\b|(take|takes|taken|took|taking) (it|them|that|this|everything) back\b`, "undo, revert, restore"},
	{`\bput(s|ting)? (it|them|that|this|what [a-z ]+) back\b|\bput(s|ting)? back\b`, "restore, revert"},
	{`\b(take|takes|taken|took|taking) off\b|(take|takes|took) (it|them|Kubeflow|the [A-Za-z ]+) off\b`, "uninstall, remove"},
	{`\b(made|makes|make|making|issue|issues|issued|created|create) (it |them )?anew\b`, "recreate, reissue"},
	{`\banew\b`, "again, or a verb with re-"},
	{`\bin vain\b`, "name the failure: image pull failed, no ready endpoints"},
	{`\bends? again and again\b`, "is crash-looping"},
	{`\b(nobody|somebody|anybody) answers\b`, "no ready endpoints, has ready endpoints"},
	{`\b(nobody|somebody|anybody)\b`, "name the subject: the user, another client, an anonymous user"},
	{`\bwhom\b`, "name the subject"},
	{`\bwhat is in the way\b`, "conflicts, blocking problems"},
	{`\bis mended\b|\bmended on the way\b`, "is patched"},
	{`\bwho is let in how\b`, "access and authentication"},
	{`\blonger than nothing\b`, "must be positive"},
	{`\ba yes is missing\b`, "confirmation required (--yes)"},
	{`\b(by )?hands unknown\b`, "an unknown field manager"},
	{`\bbefore the first write\b`, "before anything is changed"},
	{`\bnothing by itself\b`, "no automatic fix"},
	{`\bfor want of\b`, "is missing, without"},
	{`\bmay not be (read|listed|written)\b|\b(is|has) not (a )?leave to\b`, "is not allowed, missing permission"},
	{`\bhas run out\b|\bruns out on\b`, "is expired, expires on"},
	{`\bgoes? round in circles\b`, "a redirect loop"},
	{`\bto come to (it|them|the node)\b|\bare to come\b`, "pending"},
	{`\bsuits? (this|the|your) (cluster|Kubernetes)`, "is compatible with"},
	{`\bversion suits\b`, "is compatible with"},
	{`\bcut[ -]off (install|upgrade|uninstall|run)|\bwas cut off\b`, "interrupted"},
	{`\bauthority of (its|your|one's) own\b`, "a private CA"},
	{`\bwhere no name is to be had\b`, "without a DNS name"},
	{`\bof one's own\b`, "your own"},
	{`\bis let in\b|\bare let in\b|\blets? everybody in\b`, "is admitted, is authenticated as"},
	{`\bcome to rest\b`, "is ready, is reconciled"},
	{`\bworked off\b`, "processed"},
	{`\bcould not look\b`, "could not run, failed"},
	{`\bFound a hole\b`, "report a vulnerability"},
	{`\bevery (Kubeflow|release) comes with\b`, "default (password, secrets)"},
	{`\bsays nothing without\b`, "requires"},
	{`\bthe answer was no\b`, "cancelled, nothing changed"},
	{`\bgo with the API server's\b`, "are in sync"},
	{`\bvisitors?\b`, "client, user, browser"},
	{`\bauthority of the dashboard's own\b`, "a private CA"},
	{`\bwho(ever)? may (come|connect)\b`, "the clients, source ranges"},
}

// awaiting are sources whose texts are still to be rewritten. Remove a line to hold its texts to the terms.
var awaiting = []string{
	"../../docs/fixes.md",
}

// texts returns the texts that people read, by where they are from: docs, help, checks, and the messages that scripts expect. The pages of commands and checks are generated, and other
// tests hold them to the help and the checks as they are.
func texts(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, pattern := range []string{"../../*.md", "../../docs/*.md", "../../docs/*/*.md", "testdata/*/*.txtar"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(paths), err)
		}
		for _, path := range paths {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			found[path] = string(content)
		}
	}
	for _, c := range checks.Every() {
		found["check "+c.ID] = strings.Join([]string{c.Title, c.Why, c.FixNote, c.Hint}, "\n")
		paths, err := filepath.Glob("../../pkg/doctor/checks/" + strings.Replace(c.ID, "/", "/testdata/", 1) + "/*.txtar")
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s has %d cases, %v", c.ID, len(paths), err)
		}
		for _, path := range paths {
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			found[path] = string(a.Comment)
			for _, f := range a.Files {
				if f.Name == "want" {
					found[path] += string(f.Data)
				}
			}
		}
	}
	return found
}

func TestTextsUseKubernetesTerms(t *testing.T) {
	for path, text := range texts(t) {
		if slices.ContainsFunc(awaiting, func(pattern string) bool { ok, _ := filepath.Match(pattern, path); return ok }) {
			continue
		}
		for n, line := range strings.Split(text, "\n") {
			for _, a := range patterns {
				if phrase := a.FindString(line); phrase != "" {
					t.Errorf("%s:%d: instead of %q write: %s\n\t%s", path, n+1, phrase, insteadOf[a], strings.TrimSpace(line))
				}
			}
		}
	}
}

var (
	patterns  []*regexp.Regexp
	insteadOf = map[*regexp.Regexp]string{}
)

func init() {
	for _, a := range avoided {
		p := regexp.MustCompile(`(?i)` + a.pattern)
		patterns, insteadOf[p] = append(patterns, p), a.instead
	}
}
