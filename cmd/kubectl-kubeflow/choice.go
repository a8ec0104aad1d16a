package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A choice is a flag that takes one of a few values. Help, validation and completion come from its one list.
type choice struct {
	flag   string
	def    string   // the default; taken in any case
	values []string // each with what help adds: "name (the URL alone)"
}

// outputs is the choice of -o.
func outputs(def string, formats ...string) choice {
	return choice{flag: "output", def: def, values: formats}
}

// dryRuns is the choice of --dry-run.
func dryRuns(client, server string) choice {
	return choice{flag: "dry-run", def: "none", values: []string{"none", "client (" + client + ")", "server (" + server + ")"}}
}

// names returns the values alone.
func (c choice) names() []string {
	var names []string
	for _, value := range c.values {
		name, _, _ := strings.Cut(value, " (")
		names = append(names, name)
	}
	return names
}

// add adds the flag to a command: its values stand where usage has %s. A default of none goes without saying.
func (c choice) add(cmd *cobra.Command, f *pflag.FlagSet, value *string, short, usage string) {
	listed := slices.DeleteFunc(slices.Clone(c.values), func(v string) bool { return v == c.def && v == "none" })
	list := strings.Join(listed, ", ")
	if i := len(listed) - 1; i > 0 {
		list = strings.Join(listed[:i], ", ") + " or " + listed[i]
	}
	f.StringVarP(value, c.flag, short, c.def, strings.ReplaceAll(usage, "%s", list))
	if c.flag == "output" {
		mayBeEmpty(f, c.flag)
	}
	complete(cmd, c.flag, fixed(c.names()...))
}

// check refuses any other value.
func (c choice) check(value string) error {
	if value == c.def || slices.Contains(c.names(), value) {
		return nil
	}
	what := fmt.Sprintf("--%s cannot be %q", c.flag, value)
	if c.flag == "output" {
		what = fmt.Sprintf("there is no output format %q", value)
	}
	return &usageError{What: what, Next: "It is one of: " + strings.Join(c.names(), ", ")}
}
