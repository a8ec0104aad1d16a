package install

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

const upgradeLong = `Upgrade Kubeflow on the cluster of the current context to a newer release.

What users own is saved to a file first. CRDs are replaced before the objects of
their kinds, stored objects are written again where a version goes, workloads
that cannot be changed in place are recreated, and pods with the sidecar of an
older Istio are restarted. What holds data is never recreated. The plan, and
what happens to data that moves, is shown before anything is changed, and the
upgrade ends with the checks of doctor.

Run it again to resume an interrupted upgrade.`

const upgradeExample = `  kubectl kubeflow upgrade                 # to the newest compatible release
  kubectl kubeflow upgrade --release 26.03 # to a specific release
  kubectl kubeflow upgrade --diff          # preview the changes
  kubectl kubeflow upgrade --backup b.yaml # name the file of the backup`

// noBackup is the value of --backup that writes none.
const noBackup = "none"

// NewUpgradeCommand returns the command "kubectl kubeflow upgrade".
func NewUpgradeCommand(d *cli.Deps) *cobra.Command {
	o := &installOptions{Deps: d}
	backup := ""
	cmd := &cobra.Command{
		Use: "upgrade", Short: "Upgrade Kubeflow to a newer release", Long: upgradeLong, Example: upgradeExample,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.changed, o.wait, o.restrictor = cmd.Flags().Changed, true, cli.LoadRestrictor.Def
			if err := o.validate(); err != nil {
				return err
			}
			return o.documented(func() error { return o.upgrade(cmd.Context(), backup) })
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.release, "release", "r", "", "the Kubeflow `VERSION` to upgrade to (default the newest compatible release)")
	f.StringVar(&o.name, "name", "", "the `NAME` of the installation, if there are several")
	f.StringVar(&backup, "backup", "", "write what users own to this `FILE` first, or none (default kubeflow-backup-TIME.yaml in the current folder)")
	f.StringVar(&o.mirror, "mirror", "", "read archives from this `FOLDER|URL` instead of the internet; it holds each archive at HOST/PATH")
	f.BoolVar(&o.verify, "verify", false, "run the quick tests of \"kubectl kubeflow verify\" at the end")
	f.BoolVar(&o.skipVerify, "skip-verify", false, "do not verify the pinned hashes of archives")
	f.StringSliceVar(&o.skip, "skip", nil, "remove these `COMPONENTS`, or leave them out")
	o.adaptFlags.add(cmd, f)
	o.preflightFlags.add(f)
	installDryRun.Add(cmd, f, &o.dryRun, "", "preview without changing anything; `MODE` is %s")
	f.BoolVar(&o.diff, "diff", false, "show the differences without changing anything; exit code 3 if there are any")
	installOutput.Add(cmd, f, &o.output, "o", "print the result as `FORMAT`: %s")
	f.DurationVar(&o.timeout, "timeout", 30*time.Minute, "time out after this `DURATION`")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask for confirmation")
	cli.GroupFlags(cmd,
		cli.FlagGroup{Title: "What to upgrade", Flags: []string{"release", "name", "skip"}},
		cli.FlagGroup{Title: "Sources", Flags: []string{"mirror", "skip-verify", "image"}},
		cli.FlagGroup{Title: "Compatibility patches", Flags: []string{"adapt", "gpu-tolerations"}},
		cli.FlagGroup{Title: "Preview and backup", Flags: []string{"dry-run", "diff", "backup"}},
		cli.FlagGroup{Title: "Conflicts", Flags: []string{"suppress", "adopt"}},
	)
	cli.Complete(cmd, "release", cli.Fixed(cli.ReleaseNames()...))
	cli.Complete(cmd, "mirror", cli.Folders)
	return cmd
}

// upgrade prepares the plan and carries it out, after a backup.
func (o *installOptions) upgrade(ctx context.Context, backup string) error {
	began := o.Now()
	client, err := o.Connect()
	if err != nil {
		return err
	}
	o.upgrading, err = kubeflow.PrepareUpgrade(ctx, client, o.prepareOptions())
	if err != nil {
		return err
	}
	o.allow.recreate = true // the plan shows it
	return o.carryOut(ctx, client, o.upgrading.InstallPlan, began, func(ctx context.Context) error {
		if backup == noBackup || o.upgrading.Writes() == 0 {
			return nil
		}
		return o.saveBackup(ctx, cmp.Or(backup, "kubeflow-backup-"+began.UTC().Format("20060102T150405Z")+".yaml"))
	})
}

// saveBackup writes what users own to a new file that only this user can read.
func (o *installOptions) saveBackup(ctx context.Context, file string) error {
	saved, err := o.upgrading.Backup(ctx)
	if err != nil {
		return &problem.Error{What: "what users own could not be read: " + err.Error(), Next: "Nothing was changed. To upgrade without a backup: --backup=none", Err: err}
	}
	f, err := os.OpenFile(filepath.Clean(file), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		_, err = f.Write(saved.Content)
		err = errors.Join(err, f.Close())
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return &problem.Error{Usage: true, What: fmt.Sprintf("the backup is not written over %s", file), Next: "Nothing was changed. Specify another file with --backup"}
	case err != nil:
		return &problem.Error{What: "the backup could not be written: " + err.Error(), Next: "Nothing was changed. Specify another file with --backup", Err: err}
	}
	o.Screen().Say("Saved to %s: %s of users (to restore them: kubectl apply -f). Volumes and the values of Secrets are not in it", file, text.Plural(saved.Objects, "object"))
	if len(saved.Missing) > 0 {
		o.Screen().Say("Warning: not readable by this user, and not in the backup: %s", strings.Join(saved.Missing, ", "))
	}
	return nil
}

// printMoves says what an upgrade does to data that it does not carry over.
func (o *installOptions) printMoves() {
	if o.upgrading == nil {
		return
	}
	for _, move := range o.upgrading.Moves {
		o.Screen().Say("Data of %s: %s\n  %s", move.Component, move.What, move.Next)
	}
}

func (o *installOptions) question(title, where string) string {
	if o.upgrading != nil && o.upgrading.From != o.upgrading.Release {
		return fmt.Sprintf("Upgrade Kubeflow from %s to %s on %s?", o.upgrading.From, o.upgrading.Release, where)
	}
	return fmt.Sprintf("Install %s on %s?", title, where)
}
