package auth

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/tenancy"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
)

type addOptions struct {
	*cli.Deps
	grant  signin.Grant
	quota  []string
	file   string
	yes    bool
	dryRun cli.DryRun
}

func newAddCommand(d *cli.Deps) *cobra.Command {
	o := &addOptions{Deps: d}
	cmd := &cobra.Command{
		Use: "add [EMAIL]", Short: "Give users a Profile, or make them contributors of others'",
		Long: `Give a user a Profile of the user's own, make the user a contributor of others'
Profiles, or both; or do so for all users of a CSV file with the columns email,
profile, contributor-of, role and quota, of which only the first is required.
Run it again for what is missing: what exists stays, but for a quota that is
named.

Exit codes: 0 the users have what was asked for, 1 not.`,
		Example: `  kubectl kubeflow auth user add ann@example.com --profile ann --quota cpu=8
  kubectl kubeflow auth user add ben@example.com --contributor-of ann
  kubectl kubeflow auth user add -f users.csv --dry-run`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return &problem.Error{Usage: true, What: "more than one user", Next: "Specify one e-mail address, or a file with -f"}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.grant.Profile, "profile", "", "the `NAME` of the user's own Profile, which is created if it does not exist")
	f.StringSliceVar(&o.grant.ContributorOf, "contributor-of", nil, "the `NAMES` of others' Profiles to share")
	f.StringVar(&o.grant.Role, "role", "", "the `ROLE` of a contributor: "+strings.Join(tenancy.Roles, ", ")+" (default edit)")
	f.StringSliceVar(&o.quota, "quota", nil, "limits of the user's own Profile, as `RESOURCE=AMOUNT,...` of cpu, memory, gpu, storage, or of a resource of a ResourceQuota")
	f.StringVarP(&o.file, "filename", "f", "", "read users from a CSV `FILE`; - is standard input")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask for confirmation")
	cli.AddDryRun(cmd, f, &o.dryRun, dryRunUsage)
	return cmd
}

func (o *addOptions) run(ctx context.Context, args []string) error {
	grants, err := o.grants(ctx, args)
	if err != nil {
		return err
	}
	client, err := o.Connect()
	if err != nil {
		return err
	}
	changes, later, err := kubeflow.Grants(ctx, client, grants)
	if err != nil {
		return err
	}
	if len(changes) == 0 {
		o.Screen().Say("Nothing to add for %s", text.Plural(len(grants), "user"))
		return nil
	}
	listChanges(o.Deps, changes)
	for _, g := range later {
		for _, name := range g.ContributorOf {
			fmt.Fprintf(o.Out, "then share Profile/%s  with %s\n", escape.Line(name), escape.Line(g.User))
		}
	}
	if o.dryRun {
		return nil
	}
	if err := o.Agree(ctx, o.yes, "Make these changes?", confirmOrPreview); err != nil {
		return err
	}
	if err := makeChanges(ctx, o.Deps, client, changes); err != nil || len(later) == 0 {
		return err
	}
	o.Screen().Say("Waiting for the profile controller")
	if err := kubeflow.Settled(ctx, client, later, settleTime); err != nil {
		return err
	}
	if changes, _, err = kubeflow.Grants(ctx, client, later); err != nil {
		return err
	}
	return makeChanges(ctx, o.Deps, client, changes)
}

// settleTime is how long the profile controller may take to fill the namespaces of new Profiles.
const settleTime = 2 * time.Minute

// grants reads what is asked for from the arguments, or from the file.
func (o *addOptions) grants(ctx context.Context, args []string) ([]signin.Grant, error) {
	switch {
	case o.file == "" && len(args) == 0:
		return nil, &problem.Error{Usage: true, What: "no user", Next: "Specify an e-mail address, or a file with -f"}
	case o.file != "" && (len(args) > 0 || o.grant.Profile != "" || len(o.grant.ContributorOf) > 0 || len(o.quota) > 0):
		return nil, &problem.Error{Usage: true, What: "-f cannot be used with a user, a Profile or a quota", Next: "Write them to the file"}
	case o.file == "-" && !o.yes && !bool(o.dryRun):
		return nil, inputTaken("-f")
	case o.file != "":
		return o.readFile(ctx)
	}
	quota, err := parseQuota(o.quota)
	if err != nil {
		return nil, &problem.Error{Usage: true, What: "--quota: " + err.Error(), Next: "For example: --quota cpu=8,memory=32Gi,gpu=1"}
	}
	o.grant.User, o.grant.Quota = args[0], quota
	if err := o.grant.Check(); err != nil {
		return nil, err
	}
	if o.grant.Profile == "" && len(o.grant.ContributorOf) == 0 {
		return nil, &problem.Error{Usage: true, What: "nothing to give " + args[0],
			Next: fmt.Sprintf("For a Profile: --profile %s. To share another user's: --contributor-of NAME", escape.Word(signin.ProfileFor(args[0])))}
	}
	return []signin.Grant{o.grant}, nil
}
