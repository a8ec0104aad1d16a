package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A flagGroup is what some flags of a command are about.
type flagGroup struct {
	title string
	flags []string
}

// flagGroups are the groups of the commands with many flags, in the order people need them. What is in none comes last.
var flagGroups = map[string][]flagGroup{
	"install": {
		{"What to install", []string{"release", "filename", "dir", "component", "skip", "name"}},
		{"Where it comes from", []string{"mirror", "skip-verify", "image"}},
		{"What is mended on the way", []string{"adapt", "gpu-tolerations"}},
		{"Look first", []string{"dry-run", "diff"}},
		{"What is in the way", []string{"suppress", "adopt", "recreate", "allow-downgrade"}},
	},
	"doctor": {
		{"What to look at", []string{"filename", "from", "suppress", "wait"}},
		{"Cure", []string{"fix", "yes", "dry-run", "allow-restart", "allow-data-loss", "rollout-timeout", "dex-password", "mpi", "mesh", "mirror", "skip-verify"}},
		{"Take back", []string{"undo"}},
		{"Know more", []string{"list", "explain"}},
	},
	"expose": {
		{"How", []string{"lb", "port-forward", "remove"}},
		{"Who may connect (with --lb)", []string{"internal", "source-ranges", "allow-unauthenticated", "allow-default-credentials"}},
		{"The address (with --lb)", []string{"dns-label", "host", "ip", "ip-resource-group", "annotate"}},
		{"HTTPS (with --lb)", []string{"tls", "tls-secret", "email"}},
		{"On this computer (with --port-forward)", []string{"address", "open"}},
	},
}

// groupedFlags returns the flags of a command for its help, by what they are about.
func groupedFlags(cmd *cobra.Command) string {
	own := cmd.LocalNonPersistentFlags()
	groups := flagGroups[cmd.Name()]
	if len(groups) == 0 || cmd.Parent() != cmd.Root() {
		return "Flags:\n" + own.FlagUsagesWrapped(80)
	}
	var out strings.Builder
	var grouped []string
	for _, group := range groups {
		set := pflag.NewFlagSet(group.title, pflag.ContinueOnError)
		set.SortFlags = false
		for _, name := range group.flags {
			if flag := own.Lookup(name); flag != nil {
				set.AddFlag(flag)
			}
		}
		grouped = append(grouped, group.flags...)
		out.WriteString(group.title + ":\n" + set.FlagUsagesWrapped(80) + "\n")
	}
	rest := pflag.NewFlagSet("rest", pflag.ContinueOnError)
	rest.SortFlags = false
	own.VisitAll(func(flag *pflag.Flag) {
		if !slices.Contains(grouped, flag.Name) {
			rest.AddFlag(flag)
		}
	})
	return out.String() + "Other flags:\n" + rest.FlagUsagesWrapped(80)
}
