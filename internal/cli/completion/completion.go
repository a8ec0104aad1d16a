package completion

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// KubectlShim is the program that kubectl (1.26 and newer) asks how a command line of this plugin may go on.
const KubectlShim = "kubectl_complete-kubeflow"

const shimScript = `#!/usr/bin/env sh
# kubectl asks this how "kubectl kubeflow ..." may go on.
exec kubectl-kubeflow __complete "$@"
`

// NewCommand returns the command "kubectl kubeflow completion".
func NewCommand(d *cli.Deps) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print what a shell needs to complete command lines",
		Long: `Prints what a shell needs to complete command lines, on standard output.

"kubectl kubeflow ..." is completed by kubectl's own completion (1.26 and
newer), which asks the program ` + KubectlShim + `. To put that
beside the plugin:

  kubectl kubeflow completion kubectl --install

The scripts of bash, zsh, fish and powershell are for who types
"kubectl-kubeflow" with the dash.`,
		Example: `  kubectl kubeflow completion kubectl --install
  source <(kubectl kubeflow completion bash)
  kubectl kubeflow completion zsh > "${fpath[1]}/_kubectl-kubeflow"
  kubectl kubeflow completion fish | source`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &problem.Error{Usage: true, What: "no shell is named", Next: "It is one of: bash, zsh, fish, powershell, kubectl"}
			}
			return &problem.Error{Usage: true, What: fmt.Sprintf("there is no completion for %q", args[0]), Next: "It is one of: bash, zsh, fish, powershell, kubectl"}
		},
	}
	for _, shell := range []struct {
		name  string
		print func(*cobra.Command, io.Writer) error
	}{
		{"bash", func(root *cobra.Command, w io.Writer) error { return root.GenBashCompletionV2(w, true) }},
		{"zsh", (*cobra.Command).GenZshCompletion},
		{"fish", func(root *cobra.Command, w io.Writer) error { return root.GenFishCompletion(w, true) }},
		{"powershell", (*cobra.Command).GenPowerShellCompletionWithDesc},
	} {
		cmd.AddCommand(&cobra.Command{
			Use: shell.name, Short: "Print the completion script for " + shell.name, Args: cli.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return shell.print(cmd.Root(), d.Out) },
		})
	}
	cmd.AddCommand(newKubectlCompletionCommand(d))
	return cmd
}

func newKubectlCompletionCommand(d *cli.Deps) *cobra.Command {
	var folder string
	cmd := &cobra.Command{
		Use: "kubectl", Short: "Print or install the program that kubectl's own completion asks", Args: cli.NoArgs,
		Example: `  kubectl kubeflow completion kubectl --install           # beside the plugin
  kubectl kubeflow completion kubectl --install=$HOME/bin # a folder on the PATH`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("install") {
				_, err := io.WriteString(d.Out, shimScript)
				return err
			}
			if folder == besidePlugin {
				var err error
				if folder, err = pluginFolder(); err != nil {
					return err
				}
			}
			file, err := installShim(folder)
			if err != nil {
				return &problem.Error{Usage: true, What: fmt.Sprintf("%s cannot be written: %v", filepath.Join(folder, KubectlShim), err), Next: "Name another folder on the PATH with --install=FOLDER"}
			}
			d.Screen().Say("Wrote %s. With kubectl's own completion on (kubectl completion --help), \"kubectl kubeflow\" is completed in every new shell.", file)
			return nil
		},
	}
	cmd.Flags().StringVar(&folder, "install", "", "write it beside the plugin, or into this `FOLDER`, which has to be on the PATH")
	cmd.Flags().Lookup("install").NoOptDefVal = besidePlugin
	return cmd
}

// besidePlugin is --install without a folder.
const besidePlugin = "beside the plugin"

// pluginFolder returns where the plugin is found by kubectl: with krew the folder of its links, which outlives updates.
func pluginFolder() (string, error) {
	if found, err := exec.LookPath("kubectl-kubeflow"); err == nil {
		return filepath.Dir(found), nil
	}
	self, err := os.Executable()
	return filepath.Dir(self), err
}

// installShim writes the shim. Windows runs no scripts by that name: there it is this very program, which answers to it.
func installShim(folder string) (string, error) {
	if runtime.GOOS != "windows" {
		file := filepath.Join(folder, KubectlShim)
		return file, os.WriteFile(file, []byte(shimScript), 0o755) //nolint:gosec // a program has to be executable
	}
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	program, err := os.ReadFile(self)
	if err != nil {
		return "", err
	}
	file := filepath.Join(folder, KubectlShim+".exe")
	return file, os.WriteFile(file, program, 0o755) //nolint:gosec // a program has to be executable
}
