package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

const usageTemplate = `{{if .HasExample}}Examples:
{{.Example}}

{{end}}Usage:
  {{if .HasAvailableSubCommands}}{{.CommandPath}} COMMAND [flags]{{else}}{{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}{{$cmd := .}}{{range .Groups}}{{$group := .}}

{{.Title}}{{range $cmd.Commands}}{{if and (eq .GroupID $group.ID) .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}

Other commands:{{range .Commands}}{{if and (eq .GroupID "") (or .IsAvailableCommand (eq .Name "help"))}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

{{groupedFlags . | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

Use "{{.CommandPath}} COMMAND --help" for more about a command.{{end}}

Use "{{.Root.CommandPath}} options" for the flags that every command takes
(--context, --kubeconfig, --namespace ...).
`

func newRootCommand(d *deps) *cobra.Command {
	root := &cobra.Command{
		Use:         "kubectl-kubeflow",
		Annotations: map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl kubeflow"},
		Short:       "Kubeflow on AKS: install it, find what is wrong, cure it, reach it",
		Long: `Puts Kubeflow on an Azure Kubernetes Service (AKS) cluster, finds what is wrong
with it, cures it, and makes its dashboard reachable, on the cluster of the
current context.`,
		Example: `  kubectl kubeflow install       # Kubeflow, working, in one command
  kubectl kubeflow doctor --fix  # what is wrong, why, and its cure, shown first
  kubectl kubeflow expose --lb   # a public or private address, safely`,
		SilenceUsage:               true,
		SilenceErrors:              true,
		SuggestionsMinimumDistance: 2,
		Args:                       cobra.ArbitraryArgs,
		PersistentPreRunE:          func(cmd *cobra.Command, _ []string) error { return d.checkFlags(cmd) },
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknownCommand(cmd, args[0])
		},
	}
	cobra.AddTemplateFunc("groupedFlags", groupedFlags)
	root.SetIn(d.In)
	root.SetOut(d.Out)
	root.SetErr(d.ErrOut)
	root.SetUsageTemplate(usageTemplate)
	root.SetFlagErrorFunc(badFlag)
	d.flags.AddFlags(root.PersistentFlags())
	color.add(root, root.PersistentFlags(), &d.color, "", "colour the output `WHEN`: %s")
	root.AddGroup(&cobra.Group{ID: "main", Title: "Commands:"})
	for _, cmd := range []*cobra.Command{ // in the order people meet them
		newInstallCommand(d, runInstall),
		newStatusCommand(d, runStatus),
		newDoctorCommand(d, runDoctor),
		newExposeCommand(d, runExpose),
		newUninstallCommand(d, runUninstall),
	} {
		cmd.GroupID = "main"
		root.AddCommand(cmd)
	}
	root.AddCommand(newBuildCommand(d, runBuild), newBundleCommand(d, runBundle), newReleasesCommand(d, runReleases), newVersionCommand(d, runVersion),
		newCompletionCommand(d), newOptionsCommand())
	root.CompletionOptions.DisableDefaultCmd = true
	root.InitDefaultHelpCmd()
	if help, _, err := root.Find([]string{"help"}); err == nil {
		help.Args = aCommand
	}
	d.completeConnection(root)
	return root
}

// noArgs is for commands that take flags alone.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return &usageError{What: fmt.Sprintf("%s takes no argument %q", cmd.CommandPath(), args[0]), Next: fmt.Sprintf("See its flags with: %s --help", cmd.CommandPath())}
}

// aCommand is for help, which is about one.
func aCommand(cmd *cobra.Command, args []string) error {
	found, rest, err := cmd.Root().Find(args)
	if err != nil || len(rest) == 0 {
		return err
	}
	return unknownCommand(found, rest[0])
}

func unknownCommand(parent *cobra.Command, name string) error {
	next := fmt.Sprintf("See the commands with: %s --help", parent.CommandPath())
	if near := parent.SuggestionsFor(name); len(near) > 0 {
		next = fmt.Sprintf("Did you mean: %s %s?", parent.CommandPath(), strings.Join(near, ", or "))
	}
	return &usageError{What: fmt.Sprintf("there is no command %q", name), Next: next}
}

// newOptionsCommand shows the flags that other commands' help leaves out, as "kubectl options" does.
func newOptionsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "options",
		Short: "List the flags that every command takes",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprint(cmd.OutOrStdout(), cmd.Root().PersistentFlags().FlagUsagesWrapped(80))
			return err
		},
	}
}
