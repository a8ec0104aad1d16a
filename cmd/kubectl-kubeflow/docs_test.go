package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
)

// commandPages returns docs/commands and docs/man, generated from the command tree.
func commandPages(t *testing.T) map[string][]byte {
	t.Helper()
	streams, _, _, _ := genericiooptions.NewTestIOStreams()
	root := newRootCommand(cli.NewDeps(streams))
	root.InitDefaultHelpCmd()
	root.PersistentFlags().Lookup("cache-dir").DefValue = "$HOME/.kube/cache" // the same on every machine
	pages := map[string][]byte{}
	index := "# Commands\n\nGenerated from the program's help (`make golden`).\n\n| Command | Description |\n|---|---|\n"
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		if !cmd.IsAvailableCommand() && cmd != root || cmd.Name() == "help" {
			return
		}
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
		pages["../../docs/commands/"+name+".md"] = []byte(commandPage(cmd))
		index += fmt.Sprintf("| [%s](%s.md) | %s |\n", cmd.CommandPath(), name, cmd.Short)
		var man bytes.Buffer
		date := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) // constant, so that unchanged pages stay the same
		if err := doc.GenMan(cmd, &doc.GenManHeader{Section: "1", Source: "kubectl kubeflow", Manual: "kubectl kubeflow", Date: &date}, &man); err != nil {
			t.Fatal(err)
		}
		pages["../../docs/man/"+name+".1"] = man.Bytes()
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(root)
	pages["../../docs/commands/README.md"] = []byte(index)
	return pages
}

func commandPage(cmd *cobra.Command) string {
	var page strings.Builder
	about := cmd.Long
	if about == "" {
		about = cmd.Short + "."
	}
	fmt.Fprintf(&page, "# %s\n\n%s\n", cmd.CommandPath(), about)
	if cmd.Example != "" {
		fmt.Fprintf(&page, "\n## Examples\n\n```\n%s\n```\n", strings.ReplaceAll(strings.TrimSpace("  "+cmd.Example), "\n  ", "\n"))
	}
	flags := cli.GroupedFlags(cmd)
	if cmd == cmd.Root() {
		flags = "Global flags:\n" + cmd.PersistentFlags().FlagUsagesWrapped(80)
	}
	fmt.Fprintf(&page, "\n## Flags\n\n```\n%s\n```\n", strings.TrimRight(flags, "\n"))
	return page.String()
}

func TestCommandPagesAreUpToDate(t *testing.T) {
	pages := commandPages(t)
	for _, folder := range []string{"../../docs/commands", "../../docs/man"} {
		files, _ := filepath.Glob(folder + "/*")
		for _, file := range files {
			if pages[file] == nil {
				if *update {
					_ = os.Remove(file)
					continue
				}
				t.Errorf("%s belongs to no command: make golden deletes it", file)
			}
		}
	}
	for _, file := range slices.Sorted(maps.Keys(pages)) {
		if *update {
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, pages[file], 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if old, err := os.ReadFile(file); err != nil || !bytes.Equal(old, pages[file]) {
			t.Errorf("%s is out of date: make golden rewrites it (%v)", file, err)
		}
	}
}

func TestBothREADMEsListEveryCommand(t *testing.T) {
	streams, _, _, _ := genericiooptions.NewTestIOStreams()
	for _, readme := range []string{"../../README.md", "../../README.zh-CN.md"} {
		text, err := os.ReadFile(readme)
		if err != nil {
			t.Fatal(err)
		}
		for _, cmd := range newRootCommand(cli.NewDeps(streams)).Commands() {
			if slices.Contains([]string{"completion", "help", "options", "version"}, cmd.Name()) { // as every command line has them
				continue
			}
			if !strings.Contains(string(text), "| [`"+cmd.Name()+"`](docs/commands/kubectl-kubeflow-"+cmd.Name()+".md) |") {
				t.Errorf("the table of commands in %s has no row for %s", readme, cmd.Name())
			}
		}
	}
}

func TestFlagGroupsContainOnlyExistingFlags(t *testing.T) {
	streams, _, _, _ := genericiooptions.NewTestIOStreams()
	root := newRootCommand(cli.NewDeps(streams))
	for _, cmd := range root.Commands() {
		groups, name := cli.GroupsOf(cmd), cmd.Name()
		seen := map[string]bool{}
		for _, group := range groups {
			for _, flag := range group.Flags {
				if cmd.Flags().Lookup(flag) == nil || seen[flag] {
					t.Errorf("%s: --%s is not a flag, or is in two groups", name, flag)
				}
				seen[flag] = true
			}
		}
	}
}

// Every value that completion offers for a Choice is valid, and the help lists it.
func TestCompletedValuesAreValidAndListedInHelp(t *testing.T) {
	streams, _, _, _ := genericiooptions.NewTestIOStreams()
	offered := 0
	for _, cmd := range newRootCommand(cli.NewDeps(streams)).Commands() {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !slices.Contains([]string{"output", "dry-run", "adapt", "fail-on", "tls", "address"}, f.Name) || f.Value.Type() != "string" {
				return
			}
			offer, found := cmd.GetFlagCompletionFunc(f.Name)
			if !found {
				t.Errorf("%s --%s has no completion", cmd.Name(), f.Name)
				return
			}
			values, _ := offer(cmd, nil, "")
			for _, value := range values {
				offered++
				if !strings.Contains(f.Usage, value) && value != "none" && f.Name != "address" {
					t.Errorf("%s --%s: the help does not list %s", cmd.Name(), f.Name, value)
				}
				checkAccepted(t, cmd.Name(), f.Name, value)
			}
		})
	}
	if offered < 40 {
		t.Errorf("completion offers only %d values", offered)
	}
}

func checkAccepted(t *testing.T, command, flag, value string) {
	t.Helper()
	args := []string{command, "--" + flag + "=" + value, "--kubeconfig=/nowhere"}
	if command == "expose" && flag != "output" {
		args = append(args, map[string]string{"dry-run": "--lb", "tls": "--lb", "address": "--port-forward"}[flag])
	}
	var out, errOut bytes.Buffer
	t.Chdir(t.TempDir())
	if code := run(args, strings.NewReader(""), &out, &errOut); code == exitUsage && strings.Contains(errOut.String(), "invalid value") || strings.Contains(errOut.String(), "unknown output format") {
		t.Errorf("%v: %s", args, errOut.String())
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	noSlug  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// Links within the repository point to files and headings that exist.
func TestLinksAreValid(t *testing.T) {
	count := 0
	err := filepath.WalkDir("../..", func(file string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "dist" || entry.Name() == "bin") {
			return filepath.SkipDir
		}
		if filepath.Ext(file) != ".md" {
			return nil
		}
		page, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for _, match := range link.FindAllStringSubmatch(string(page), -1) {
			if strings.Contains(match[1], "://") || strings.HasPrefix(match[1], "mailto:") {
				continue
			}
			count++
			path, anchor, _ := strings.Cut(match[1], "#")
			target := filepath.Join(filepath.Dir(file), filepath.FromSlash(path))
			if path == "" {
				target = file
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", file, match[1], err)
			} else if anchor != "" && !slices.Contains(slugs(t, target), anchor) {
				t.Errorf("%s links to %s, which has no such heading", file, match[1])
			}
		}
		return nil
	})
	if err != nil || count < 50 {
		t.Errorf("%d links: %v", count, err)
	}
}

// slugs returns the anchors that GitHub gives the headings of a page.
func slugs(t *testing.T, file string) []string {
	t.Helper()
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, match := range heading.FindAllStringSubmatch(string(page), -1) {
		all = append(all, strings.ReplaceAll(strings.ToLower(noSlug.ReplaceAllString(match[1], "")), " ", "-"))
	}
	return all
}
