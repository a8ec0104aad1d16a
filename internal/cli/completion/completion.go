package completion

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/atomicfile"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// KubectlShim is the program that kubectl (1.26 and newer) runs to complete command lines of this plugin.
const KubectlShim = "kubectl_complete-kubeflow"

const shimScript = `#!/usr/bin/env sh
# kubectl runs this to complete "kubectl kubeflow ...".
exec kubectl-kubeflow __complete "$@"
`

// NewCommand returns the command "kubectl kubeflow completion".
func NewCommand(d *cli.Deps) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print a shell completion script",
		Long: `Print a shell completion script.

"kubectl kubeflow ..." is completed by kubectl's own completion (1.26 and
newer), which runs the program ` + KubectlShim + `. To install it
in the folder of the plugin:

  kubectl kubeflow completion kubectl --install

The scripts for bash, zsh, fish and powershell complete "kubectl-kubeflow".`,
		Example: `  kubectl kubeflow completion kubectl --install
  source <(kubectl kubeflow completion bash)
  kubectl kubeflow completion zsh > "${fpath[1]}/_kubectl-kubeflow"
  kubectl kubeflow completion fish | source`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &problem.Error{Usage: true, What: "no shell specified", Next: "Specify one of: bash, zsh, fish, powershell, kubectl"}
			}
			return &problem.Error{Usage: true, What: fmt.Sprintf("unsupported shell %q", args[0]), Next: "Specify one of: bash, zsh, fish, powershell, kubectl"}
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
		Use: "kubectl", Short: "Print or install the program that kubectl's completion runs", Args: cli.NoArgs,
		Example: `  kubectl kubeflow completion kubectl --install           # next to the plugin
  kubectl kubeflow completion kubectl --install=$HOME/bin # a folder on the PATH`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("install") {
				_, err := io.WriteString(d.Out, shimScript)
				return err
			}
			if folder == inPluginFolder {
				var err error
				if folder, err = pluginFolder(); err != nil {
					return err
				}
			}
			file, err := installShim(folder)
			if err != nil {
				return &problem.Error{Usage: true, What: fmt.Sprintf("writing %s: %v", filepath.Join(folder, KubectlShim), err), Next: "Specify another folder on the PATH with --install=FOLDER"}
			}
			d.Screen().Say("Wrote %s. New shells complete \"kubectl kubeflow\" if kubectl's completion is enabled (see kubectl completion --help).", file)
			return nil
		},
	}
	cmd.Flags().StringVar(&folder, "install", "", "install the program in this `FOLDER`, which must be on the PATH")
	cmd.Flags().Lookup("install").NoOptDefVal = inPluginFolder
	return cmd
}

// inPluginFolder is --install without a folder.
const inPluginFolder = "the folder of the plugin"

// pluginFolder returns the folder where kubectl finds the plugin. With krew that is its folder of links, which updates keep.
func pluginFolder() (string, error) {
	if found, err := exec.LookPath("kubectl-kubeflow"); err == nil {
		return filepath.Dir(found), nil
	}
	self, err := os.Executable()
	return filepath.Dir(self), err
}

// installShim writes the shim. Windows runs no scripts by that name: there it is this very program, which answers to it.
func installShim(folder string) (string, error) {
	name, program := KubectlShim, []byte(shimScript)
	if runtime.GOOS == "windows" {
		self, err := os.Executable()
		if err != nil {
			return "", err
		}
		name += ".exe"
		if program, err = bounded.In(filepath.Dir(self), filepath.Base(self), bounded.Program); err != nil {
			return "", err
		}
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return "", err
	}
	defer func() { _ = root.Close() }()
	return filepath.Join(folder, name), atomicfile.Write(root, name, program, atomicfile.Program)
}
