package auth

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
)

type removeOptions struct {
	*cli.Deps
	yes      bool
	dryRun   cli.DryRun
	profiles []string
}

func newRemoveCommand(d *cli.Deps) *cobra.Command {
	o := &removeOptions{Deps: d}
	cmd := &cobra.Command{
		Use: "remove EMAIL", Short: "Take a user's access to others' Profiles away",
		Long: `Take a user's access to others' Profiles away. The user's own Profiles stay,
with their notebooks, volumes and models, but for those that are named with
--delete-profile: that deletes the namespace of a Profile and all data in it,
which cannot be undone.

Exit codes: 0 removed, 1 not.`,
		Example: `  kubectl kubeflow auth user remove ben@example.com --dry-run
  kubectl kubeflow auth user remove ben@example.com --delete-profile ben`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return &problem.Error{Usage: true, What: fmt.Sprintf("%s instead of one", text.Plural(len(args), "user")), Next: "Specify one e-mail address"}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args[0]) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringSliceVar(&o.profiles, "delete-profile", nil, "also delete the user's own Profile with this `NAME`, and all its data")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask for confirmation")
	cli.AddDryRun(cmd, f, &o.dryRun, dryRunUsage)
	return cmd
}

func (o *removeOptions) run(ctx context.Context, user string) error {
	client, err := o.Connect()
	if err != nil {
		return err
	}
	removal, err := kubeflow.Revocation(ctx, client, user)
	if err != nil {
		return err
	}
	changes, err := removal.With(user, o.profiles)
	if err != nil {
		return err
	}
	stay := text.Names(removal.Own, text.Most, func(p signin.Profile) string { return escape.Line(p.Name) })
	switch {
	case len(changes) > 0:
		listChanges(o.Deps, changes)
	case len(removal.Kept) == 0:
		o.Screen().Say("%s has no access to others' Profiles. Nothing was changed.", escape.Line(user))
	}
	for _, ref := range removal.Kept {
		o.Screen().Say("%s lets the user in, and stays because it names other people as well. Remove the user from it with: %s", escape.Line(ref.String()),
			escape.Commandf("kubectl edit rolebinding -n %s %s", ref.Namespace, ref.Name))
	}
	if len(removal.Own) > len(o.profiles) {
		o.Screen().Say("The user's own Profiles stay, with their data, but for those named with --delete-profile: %s", stay)
	}
	if bool(o.dryRun) || len(changes) == 0 {
		return nil
	}
	if err := o.agree(ctx); err != nil {
		return err
	}
	return makeChanges(ctx, o.Deps, client, changes)
}

// agree asks for a confirmation: for each Profile that is deleted by its name.
func (o *removeOptions) agree(ctx context.Context) error {
	if len(o.profiles) == 0 || o.yes {
		return o.Agree(ctx, o.yes, "Delete these?", confirmOrPreview)
	}
	if err := o.MustAsk(confirmOrPreview); err != nil {
		return err
	}
	for _, name := range o.profiles {
		typed, err := o.Screen().Ask(ctx, fmt.Sprintf("Deleting Profile %s deletes its namespace and all data in it. Type its name to go on:", escape.Line(name)))
		if err != nil {
			return err
		}
		if typed != name {
			return cli.ErrCancelled
		}
	}
	return nil
}
