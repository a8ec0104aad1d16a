package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// GroupCommand makes a command that only has subcommands: it prints its help, and rejects an unknown subcommand.
func GroupCommand(cmd *cobra.Command) {
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		return UnknownCommand(cmd, args[0])
	}
}

// Positive validates the value of --timeout.
func Positive(timeout time.Duration, example string) error {
	if timeout > 0 {
		return nil
	}
	return &problem.Error{Usage: true, What: "--timeout must be positive", Next: "For example: --timeout " + example}
}

// NoArgs rejects arguments, for commands that have only flags.
func NoArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if f := cmd.Flags().Lookup("dry-run"); f != nil && f.Changed { // its value is optional
		return &problem.Error{Usage: true, What: fmt.Sprintf("invalid value %q for --dry-run", args[0]), Next: dryRunModes}
	}
	return &problem.Error{Usage: true, What: fmt.Sprintf("unexpected argument %[2]q for %[1]s", cmd.CommandPath(), args[0]), Next: fmt.Sprintf("See the usage with: %s --help", cmd.CommandPath())}
}

// flagsOf are the flags that do what people look for as a command.
var flagsOf = map[string]string{"fix": "doctor --fix", "repair": "doctor --fix", "undo": "doctor --undo", "rollback": "doctor --undo", "open": "dashboard"}

// maxEdits is how far a suggestion may be from what was typed: with two edits, any short name is near any other.
func maxEdits(typed string) int { return min(2, 1+len(typed)/5) }

// UnknownCommand returns the usage error of a subcommand that does not exist, with the nearest that does.
func UnknownCommand(parent *cobra.Command, name string) error {
	next := fmt.Sprintf("See the commands with: %s --help", parent.CommandPath())
	parent.SuggestionsMinimumDistance = maxEdits(name)
	if near := parent.SuggestionsFor(name); len(near) > 0 {
		next = fmt.Sprintf("Did you mean: %s %s?", parent.CommandPath(), strings.Join(near, ", or "))
	}
	if flag, known := flagsOf[name]; known && !parent.HasParent() {
		next = fmt.Sprintf("Did you mean: %s %s?", parent.CommandPath(), flag)
	}
	return &problem.Error{Usage: true, What: fmt.Sprintf("unknown command %q", name), Next: next}
}
