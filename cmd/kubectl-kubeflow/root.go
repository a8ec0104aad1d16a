package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli/auth"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli/build"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli/bundle"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli/completion"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli/component"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli/install"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli/releases"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli/status"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli/uninstall"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli/verify"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli/version"
)

const usageTemplate = `{{if .HasExample}}Examples:
{{.Example}}

{{end}}Usage:
  {{if .HasAvailableSubCommands}}{{.CommandPath}} COMMAND [flags]{{else}}{{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}{{$cmd := .}}{{range .Groups}}{{$group := .}}

{{.Title}}{{range $cmd.Commands}}{{if and (eq .GroupID $group.ID) .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}

{{if .Groups}}Other commands{{else}}Commands{{end}}:{{range .Commands}}{{if and (eq .GroupID "") (or .IsAvailableCommand (eq .Name "help"))}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

{{groupedFlags . | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

Use "{{.CommandPath}} COMMAND --help" for details of a command.{{end}}

Use "{{.Root.CommandPath}} options" for a list of global flags (--context,
--kubeconfig, --namespace, ...).
`

func newRootCommand(d *cli.Deps) *cobra.Command {
	root := &cobra.Command{
		Use:         "kubectl-kubeflow",
		Annotations: map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl kubeflow"},
		Short:       "Install Kubeflow on AKS, diagnose and fix problems, expose the dashboard",
		Long: `Install Kubeflow on Azure Kubernetes Service (AKS), diagnose and fix problems,
and expose the dashboard. Commands use the cluster of the current context.`,
		Example: `  kubectl kubeflow install       # install the newest compatible release
  kubectl kubeflow doctor --fix  # diagnose, preview the fixes, and apply them
  kubectl kubeflow expose --lb   # create an external address for the dashboard`,
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			d.LogRequests()
			if err := cli.ReadEnvironment(cmd); err != nil {
				return err
			}
			if err := d.CheckFlags(cmd); err != nil {
				return err
			}
			d.Context = cmd.Context()
			d.ShowBusy()
			return nil
		},
	}
	cli.GroupCommand(root)
	root.Version = cli.PluginVersion()
	root.SetVersionTemplate("Client Version: {{.Version}}\n")
	cobra.AddTemplateFunc("groupedFlags", cli.GroupedFlags)
	root.SetIn(d.In)
	root.SetOut(d.Out)
	root.SetErr(d.ErrOut)
	root.SetUsageTemplate(usageTemplate)
	root.SetFlagErrorFunc(cli.BadFlag)
	d.Flags.AddFlags(root.PersistentFlags())
	d.AddVerbosity(root.PersistentFlags())
	cli.Color.Add(root, root.PersistentFlags(), &d.Color, "", "`WHEN` to colour the output: %s")
	root.AddGroup(&cobra.Group{ID: "main", Title: "Commands:"})
	for _, cmd := range []*cobra.Command{ // in the order of use
		install.NewCommand(d),
		install.NewUpgradeCommand(d),
		install.NewDiffCommand(d),
		status.NewCommand(d),
		doctor.NewCommand(d),
		expose.NewCommand(d),
		auth.NewCommand(d),
		verify.NewCommand(d),
		expose.NewDashboardCommand(d),
		component.NewLogsCommand(d),
		component.NewRestartCommand(d),
		uninstall.NewCommand(d),
	} {
		cmd.GroupID = "main"
		root.AddCommand(cmd)
	}
	root.AddCommand(cluster.NewCommand(d, again(d)), build.NewCommand(d), bundle.NewCommand(d), releases.NewCommand(d), version.NewCommand(d),
		completion.NewCommand(d), newOptionsCommand())
	root.CompletionOptions.DisableDefaultCmd = true
	root.InitDefaultHelpCmd()
	if help, _, err := root.Find([]string{"help"}); err == nil {
		help.Args = oneCommand
	}
	d.CompleteConnection(root)
	return root
}

// again runs another command line on the same streams, with a connection of its own: "cluster create --install" goes on with it.
func again(d *cli.Deps) cluster.Run {
	return func(ctx context.Context, args ...string) error {
		next := cli.NewDeps(d.IOStreams)
		next.Color, next.Quiet, next.Verbosity, next.Now = d.Color, d.Quiet, d.Verbosity, d.Now
		root := newRootCommand(next)
		root.SetArgs(args)
		defer next.Idle()
		return next.Explain(root.ExecuteContext(ctx))
	}
}

// oneCommand validates the arguments of help: the path of one command.
func oneCommand(cmd *cobra.Command, args []string) error {
	found, rest, err := cmd.Root().Find(args)
	if err != nil || len(rest) == 0 {
		return err
	}
	return cli.UnknownCommand(found, rest[0])
}

// newOptionsCommand shows the flags that other commands' help leaves out, as "kubectl options" does.
func newOptionsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "options",
		Short: "List the global flags, which apply to all commands",
		Args:  cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprint(cmd.OutOrStdout(), cmd.Root().PersistentFlags().FlagUsagesWrapped(80))
			return err
		},
	}
}
