package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A Choice is a flag that takes one of a few values. Help, validation and completion come from its one list.
type Choice struct {
	Flag   string
	Def    string   // the default; taken in any case
	Values []string // each with what help adds: "name (the URL alone)"
}

// Outputs is the choice of -o.
func Outputs(def string, formats ...string) Choice {
	return Choice{Flag: "output", Def: def, Values: formats}
}

// DryRuns is the choice of --dry-run.
func DryRuns(client, server string) Choice {
	return Choice{Flag: "dry-run", Def: "none", Values: []string{"none", "client (" + client + ")", "server (" + server + ")"}}
}

// names returns the values alone.
func (c Choice) names() []string {
	var names []string
	for _, value := range c.Values {
		name, _, _ := strings.Cut(value, " (")
		names = append(names, name)
	}
	return names
}

// Add adds the flag to a command: its values stand where usage has %s. A default of none goes without saying.
func (c Choice) Add(cmd *cobra.Command, f *pflag.FlagSet, value *string, short, usage string) {
	listed := slices.DeleteFunc(slices.Clone(c.Values), func(v string) bool { return v == c.Def && v == "none" })
	list := strings.Join(listed, ", ")
	if i := len(listed) - 1; i > 0 {
		list = strings.Join(listed[:i], ", ") + " or " + listed[i]
	}
	f.StringVarP(value, c.Flag, short, c.Def, strings.ReplaceAll(usage, "%s", list))
	if c.Flag == "output" {
		MayBeEmpty(f, c.Flag)
	}
	Complete(cmd, c.Flag, Fixed(c.names()...))
}

// Check refuses any other value.
func (c Choice) Check(value string) error {
	if value == c.Def || slices.Contains(c.names(), value) {
		return nil
	}
	what := fmt.Sprintf("--%s cannot be %q", c.Flag, value)
	if c.Flag == "output" {
		what = fmt.Sprintf("there is no output format %q", value)
	}
	return &problem.Error{Usage: true, What: what, Next: "It is one of: " + strings.Join(c.names(), ", ")}
}
