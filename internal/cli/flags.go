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

// Color is what --color takes.
var Color = Choice{Flag: "color", Def: "auto", Values: []string{"auto", "always", "never"}}

// emptyAnnotation marks the flags to which an empty value says something.
const emptyAnnotation = "kubectl-kubeflow/may-be-empty"

// MayBeEmpty lets flags be given with an empty value: the default, or to take off what an earlier run set.
func MayBeEmpty(f *pflag.FlagSet, names ...string) {
	for _, name := range names {
		if err := f.SetAnnotation(name, emptyAnnotation, nil); err != nil {
			panic(err) // there is no such flag: a mistake of the caller's
		}
	}
}

// CheckFlags looks at what every command's flags have in common, before it runs.
func (d *Deps) CheckFlags(cmd *cobra.Command) error {
	if err := Color.Check(d.Color); err != nil {
		return err
	}
	if timeout := *d.Flags.Timeout; timeout != "" {
		if _, err := clientcmd.ParseTimeout(timeout); err != nil {
			return &problem.Error{Usage: true, What: fmt.Sprintf("--request-timeout cannot be %q", timeout), Next: "It is a duration such as 30s, or 0 for none"}
		}
	}
	var empty error
	own := cmd.LocalNonPersistentFlags() // of kubectl's, some may be empty
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if own.Lookup(f.Name) != nil && f.Value.Type() == "string" && f.Value.String() == "" && !takesEmpty(f) {
			empty = &problem.Error{Usage: true, What: fmt.Sprintf("--%s is given, and empty", f.Name), Next: "Give it a value, or leave it out"}
		}
	})
	return empty
}

func takesEmpty(f *pflag.Flag) bool {
	_, may := f.Annotations[emptyAnnotation]
	return may
}

// BadFlag says what the parser found wrong in a flag.
func BadFlag(cmd *cobra.Command, err error) error {
	what, next := err.Error(), fmt.Sprintf("See the flags with: %s --help", cmd.CommandPath())
	var invalid *pflag.InvalidValueError
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		name := unknown.GetSpecifiedName()
		if command, _, err := cmd.Root().Find([]string{name}); err == nil && command != cmd.Root() { // --version
			next = fmt.Sprintf("Did you mean: %s?", command.CommandPath())
		} else if near := nearFlags(cmd, name); len(near) > 0 {
			next = "Did you mean: --" + strings.Join(near, ", or --") + "?"
		}
	}
	if errors.As(err, &invalid) {
		what = fmt.Sprintf("--%s cannot be %q", invalid.GetFlag().Name, invalid.GetValue())
		switch invalid.GetFlag().Value.Type() {
		case "duration":
			next = "It is a duration such as 30m or 90s"
		case "bool":
			next = "It is true or false"
		case "int", "int32", "uint16":
			next = "It is a whole number"
		}
	}
	return &problem.Error{Usage: true, What: what, Next: next}
}

// nearFlags returns the flags that one may have meant, as cobra does for commands: each is a command for the time of the question.
func nearFlags(cmd *cobra.Command, typed string) []string {
	names := &cobra.Command{SuggestionsMinimumDistance: min(2, 1+len(typed)/4)} // two slips make any short name of any other
	add := func(f *pflag.Flag) {
		if !f.Hidden {
			names.AddCommand(&cobra.Command{Use: f.Name, Run: func(*cobra.Command, []string) {}})
		}
	}
	cmd.LocalFlags().VisitAll(add)
	cmd.InheritedFlags().VisitAll(add)
	return names.SuggestionsFor(typed)
}
