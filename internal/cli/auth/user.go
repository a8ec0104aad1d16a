package auth

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
)

func newUserCommand(d *cli.Deps) *cobra.Command {
	cmd := &cobra.Command{
		Use: "user", Short: "List, add and remove the people who use Kubeflow",
		Long: `List, add and remove the people who use Kubeflow. Whoever the provider signs in
can open the dashboard; a Profile gives a user a namespace, and a contributor
shares the namespace of another user. How users prove who they are is the
provider's: see kubectl kubeflow auth.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newListCommand(d), newAddCommand(d), newRemoveCommand(d))
	return cmd
}

func newListCommand(d *cli.Deps) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List the Profiles with their owners and contributors",
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := documents.Check(output); err != nil {
				return err
			}
			client, err := d.Connect()
			if err != nil {
				return err
			}
			profiles, err := signin.Profiles(cmd.Context(), client.View())
			switch {
			case err != nil:
				return err
			case output != "":
				return cli.PrintDocument(d.Out, output, profiles)
			case len(profiles) == 0:
				fmt.Fprintln(d.ErrOut, "There is no Profile. Add one with: kubectl kubeflow auth user add EMAIL --profile NAME")
				return nil
			}
			return printProfiles(d.Screen(), profiles)
		},
	}
	documents.Add(cmd, cmd.Flags(), &output, "o", "print the result as `FORMAT`: %s")
	return cmd
}

type addOptions struct {
	*cli.Deps
	grant       signin.Grant
	quota       []string
	file        string
	yes, dryRun bool
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
	f.StringVar(&o.grant.Role, "role", "", "the role of a contributor: "+strings.Join(signin.Roles, ", ")+" (default edit)")
	f.StringSliceVar(&o.quota, "quota", nil, "limits of the user's own Profile, as `RESOURCE=AMOUNT,...` of cpu, memory, gpu, storage, or of a resource of a ResourceQuota")
	f.StringVarP(&o.file, "filename", "f", "", "read users from a CSV `FILE`; - is standard input")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask for confirmation")
	f.BoolVar(&o.dryRun, "dry-run", false, "show what would be created, and create nothing")
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
	if err := o.Agree(ctx, o.yes, "Make these changes?", "Confirm with --yes, or preview with --dry-run"); err != nil {
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
	case o.file == "-" && !o.yes && !o.dryRun:
		return nil, &problem.Error{Usage: true, What: "-f - leaves nobody to ask", Next: "Confirm with --yes, or preview with --dry-run"}
	case o.file != "":
		return o.readFile(ctx)
	}
	quota, err := parseQuota(o.quota)
	if err != nil {
		return nil, &problem.Error{Usage: true, What: "--quota: " + err.Error(), Next: "For example: --quota cpu=8,memory=32Gi,gpu=1"}
	}
	o.grant.User, o.grant.Quota = args[0], quota
	if o.grant.Profile == "" && len(o.grant.ContributorOf) == 0 {
		return nil, &problem.Error{Usage: true, What: "nothing to give " + args[0],
			Next: fmt.Sprintf("For a Profile: --profile %s. To share another user's: --contributor-of NAME", escape.Word(signin.ProfileFor(args[0])))}
	}
	return []signin.Grant{o.grant}, o.grant.Check()
}

func (o *addOptions) readFile(ctx context.Context) ([]signin.Grant, error) {
	var content []byte
	var err error
	if o.file == "-" {
		content, err = bounded.All(ctx, o.In, bounded.Config)
	} else {
		content, err = bounded.File(ctx, o.file, bounded.Config)
	}
	if err != nil {
		return nil, &problem.Error{Usage: true, What: o.file + ": " + err.Error(), Next: "Name a CSV file"}
	}
	grants, err := parseUsers(string(content))
	if err != nil {
		return nil, &problem.Error{Usage: true, What: o.file + ": " + err.Error(), Next: "The first line names the columns: email,profile,contributor-of,role,quota"}
	}
	return grants, nil
}

func parseQuota(words []string) (map[string]string, error) {
	quota := map[string]string{}
	for _, word := range words {
		name, amount, found := strings.Cut(word, "=")
		if !found || name == "" {
			return nil, fmt.Errorf("%q is not RESOURCE=AMOUNT", word)
		}
		quota[name] = amount
	}
	return quota, nil
}

// parseUsers reads a CSV file whose first line names its columns. Several values in one field are separated by spaces or commas.
func parseUsers(content string) ([]signin.Grant, error) {
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(content, "\ufeff")))
	r.TrimLeadingSpace, r.Comment = true, '#'
	columns, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("it has no line with the names of its columns: %w", err)
	}
	var grants []signin.Grant
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return grants, nil
		}
		if err != nil {
			return nil, err
		}
		var g signin.Grant
		for i, value := range fields {
			value = strings.TrimSpace(value)
			words := strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == ',' || r == ';' })
			switch column := strings.ToLower(strings.TrimSpace(columns[i])); column {
			case "email":
				g.User = value
			case "profile":
				g.Profile = value
			case "contributor-of":
				g.ContributorOf = words
			case "role":
				g.Role = value
			case "quota":
				if g.Quota, err = parseQuota(words); err != nil {
					return nil, err
				}
			default:
				return nil, fmt.Errorf("there is no column %q", column)
			}
		}
		line, _ := r.FieldPos(0)
		if err := g.Check(); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if g.Profile == "" && len(g.ContributorOf) == 0 {
			return nil, fmt.Errorf("line %d: %s gets neither a Profile nor a share of one", line, g.User)
		}
		grants = append(grants, g)
	}
}

// verbs say what a change does.
var verbs = map[cluster.Verb]string{cluster.Create: "create", cluster.Patch: "change", cluster.Delete: "delete"}

func listChanges(d *cli.Deps, changes []cluster.Change) {
	for _, c := range changes {
		object := c.After
		if object == nil {
			object = c.Before
		}
		who := object.GetAnnotations()["user"]
		if owner, found := ownerOf(object.Object); found {
			who = owner
		}
		fmt.Fprintf(d.Out, "%s %s  for %s\n", verbs[c.Verb], escape.Line(c.Ref().String()), escape.Line(who))
	}
}

func ownerOf(o map[string]any) (string, bool) {
	spec, _ := o["spec"].(map[string]any)
	owner, _ := spec["owner"].(map[string]any)
	name, found := owner["name"].(string)
	return name, found
}

func makeChanges(ctx context.Context, d *cli.Deps, client *cluster.Client, changes []cluster.Change) error {
	made := 0
	err := kubeflow.Change(ctx, client, changes, d.Notify, func(cluster.Change) { made++ })
	if err != nil {
		return &problem.Error{What: fmt.Sprintf("%d of %s made: %v", made, text.Plural(len(changes), "change"), err), Next: "Run the same command again for the rest", Err: err}
	}
	d.Screen().Say("%s %s made", d.Screen().Done(), text.Plural(made, "change"))
	return nil
}

type removeOptions struct {
	*cli.Deps
	yes, dryRun bool
	profiles    []string
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
	f.BoolVar(&o.dryRun, "dry-run", false, "show what would be deleted, and delete nothing")
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
	if len(changes) == 0 {
		o.Screen().Say("%s has no access to others' Profiles. Nothing was changed.", escape.Line(user))
	} else {
		listChanges(o.Deps, changes)
	}
	if len(removal.Own) > len(o.profiles) {
		o.Screen().Say("The user's own Profiles stay, with their data, but for those named with --delete-profile: %s", stay)
	}
	if o.dryRun || len(changes) == 0 {
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
		return o.Agree(ctx, o.yes, "Delete these?", "Confirm with --yes, or preview with --dry-run")
	}
	if err := o.MustAsk("Confirm with --yes, or preview with --dry-run"); err != nil {
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
