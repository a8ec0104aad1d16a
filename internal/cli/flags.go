package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// Color is the choice of --color.
var Color = Choice{Flag: "color", Def: "auto", Values: []string{"auto", "always", "never"}}

// emptyAnnotation marks the flags that accept an empty value.
const emptyAnnotation = "kubectl-kubeflow/may-be-empty"

// AllowEmpty lets flags have an empty value: the default, or to remove a setting of an earlier run.
func AllowEmpty(f *pflag.FlagSet, names ...string) {
	for _, name := range names {
		if err := f.SetAnnotation(name, emptyAnnotation, nil); err != nil {
			panic(err) // a programming error: no such flag
		}
	}
}

// CheckFlags validates the global flags, and that no flag is empty, before a command runs.
func (d *Deps) CheckFlags(cmd *cobra.Command) error {
	if err := Color.Check(d.Color); err != nil {
		return err
	}
	if timeout := *d.Flags.Timeout; timeout != "" {
		if _, err := clientcmd.ParseTimeout(timeout); err != nil {
			return &problem.Error{Usage: true, What: fmt.Sprintf("invalid value %q for --request-timeout", timeout), Next: "Use a duration such as 30s, or 0 for no timeout"}
		}
	}
	var empty error
	own := cmd.LocalNonPersistentFlags() // some of kubectl's flags may be empty
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if own.Lookup(f.Name) != nil && f.Value.Type() == "string" && f.Value.String() == "" && !allowsEmpty(f) {
			empty = &problem.Error{Usage: true, What: fmt.Sprintf("--%s must not be empty", f.Name), Next: "Specify a value, or omit the flag"}
		}
	})
	return empty
}

func allowsEmpty(f *pflag.Flag) bool {
	_, ok := f.Annotations[emptyAnnotation]
	return ok
}

// BadFlag turns an error of the flag parser into a usage error.
func BadFlag(cmd *cobra.Command, err error) error {
	what, next := err.Error(), fmt.Sprintf("See the flags with: %s --help", cmd.CommandPath())
	var invalid *pflag.InvalidValueError
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		name := unknown.GetSpecifiedName()
		if name == "version" && cmd.Flags().Lookup("release") != nil {
			next = "Did you mean: --release?"
		} else if command, _, err := cmd.Root().Find([]string{name}); err == nil && command != cmd.Root() { // --version
			next = fmt.Sprintf("Did you mean: %s?", command.CommandPath())
		} else if near := nearFlags(cmd, name); len(near) > 0 {
			next = "Did you mean: --" + strings.Join(near, ", or --") + "?"
		}
	}
	if errors.As(err, &invalid) {
		what = fmt.Sprintf("invalid value %[2]q for --%[1]s", invalid.GetFlag().Name, invalid.GetValue())
		switch invalid.GetFlag().Value.Type() {
		case "duration":
			next = "Use a duration such as 30m or 90s"
		case "bool":
			next = "Use true or false"
		case "int", "int32", "uint16":
			next = "Use an integer"
		case new(DryRun).Type():
			next = dryRunModes
		}
	}
	return &problem.Error{Usage: true, What: what, Next: next}
}

// nearFlags suggests flags with similar names, with the function that cobra has for commands: each flag becomes a command.
func nearFlags(cmd *cobra.Command, typed string) []string {
	names := &cobra.Command{SuggestionsMinimumDistance: maxEdits(typed)}
	add := func(f *pflag.Flag) {
		if !f.Hidden {
			names.AddCommand(&cobra.Command{Use: f.Name, Run: func(*cobra.Command, []string) {}})
		}
	}
	cmd.LocalFlags().VisitAll(add)
	cmd.InheritedFlags().VisitAll(add)
	return names.SuggestionsFor(typed)
}
