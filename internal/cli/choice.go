package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A Choice is a flag whose value is one of a list. Help, validation and completion come from this list.
type Choice struct {
	Flag   string
	Def    string   // the default; always valid
	Values []string // with a note for the help: "name (the URL only)"
}

// Outputs returns the choice of -o.
func Outputs(def string, formats ...string) Choice {
	return Choice{Flag: "output", Def: def, Values: formats}
}

// DryRuns returns the choice of --dry-run; client and server describe these modes.
func DryRuns(client, server string) Choice {
	return Choice{Flag: "dry-run", Def: "none", Values: []string{"none", "client (" + client + ")", "server (" + server + ")"}}
}

const dryRunModes = "Specify one of: none, client, server"

// A DryRun is the value of --dry-run where the mode makes no difference: it takes the same words as on other commands.
type DryRun bool

// Set takes a mode, or as a switch true or false.
func (d *DryRun) Set(mode string) error {
	switch mode {
	case "client", "server", "true":
		*d = true
	case "none", "false":
		*d = false
	default:
		return fmt.Errorf("it is none, client or server")
	}
	return nil
}

// String returns the mode.
func (d *DryRun) String() string {
	if *d {
		return "client"
	}
	return "none"
}

// Type is what help calls the value.
func (d *DryRun) Type() string { return "mode" }

// AddDryRun adds the flag to a command.
func AddDryRun(cmd *cobra.Command, f *pflag.FlagSet, value *DryRun, usage string) {
	f.Var(value, "dry-run", usage)
	f.Lookup("dry-run").NoOptDefVal = "client"
	Complete(cmd, "dry-run", Fixed("none", "client", "server"))
}

// LoadRestrictor is the choice of --load-restrictor, with kustomize's names.
var LoadRestrictor = Choice{Flag: "load-restrictor", Def: "LoadRestrictionsRootOnly", Values: []string{"LoadRestrictionsRootOnly", "LoadRestrictionsNone"}}

// LoadRestrictorUsage is the help of --load-restrictor.
const LoadRestrictorUsage = "which files a kustomization or a KfDef on disk may read, as in kustomize: `MODE` is %s"

// Unrestricted reports whether a value of --load-restrictor permits files outside the folder.
func Unrestricted(loadRestrictor string) bool { return loadRestrictor == "LoadRestrictionsNone" }

// names returns the values without their notes.
func (c Choice) names() []string {
	var names []string
	for _, value := range c.Values {
		name, _, _ := strings.Cut(value, " (")
		names = append(names, name)
	}
	return names
}

// Add adds the flag to a command. %s in usage is replaced with the values, without a default of none.
func (c Choice) Add(cmd *cobra.Command, f *pflag.FlagSet, value *string, short, usage string) {
	listed := slices.DeleteFunc(slices.Clone(c.Values), func(v string) bool { return v == c.Def && v == "none" })
	list := strings.Join(listed, ", ")
	if i := len(listed) - 1; i > 0 {
		list = strings.Join(listed[:i], ", ") + " or " + listed[i]
	}
	f.StringVarP(value, c.Flag, short, c.Def, strings.ReplaceAll(usage, "%s", list))
	switch c.Flag {
	case "output":
		AllowEmpty(f, c.Flag)
	case "dry-run":
		f.Lookup(c.Flag).NoOptDefVal = "client"
	}
	Complete(cmd, c.Flag, Fixed(c.names()...))
}

// Check returns an error for a value that is not in the list.
func (c Choice) Check(value string) error {
	if value == c.Def || slices.Contains(c.names(), value) {
		return nil
	}
	what := fmt.Sprintf("invalid value %[2]q for --%[1]s", c.Flag, value)
	if c.Flag == "output" {
		what = fmt.Sprintf("unknown output format %q", value)
	}
	return &problem.Error{Usage: true, What: what, Next: "Specify one of: " + strings.Join(c.names(), ", ")}
}
