package auth

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/tenancy"
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
	}
	cli.GroupCommand(cmd)
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

// verbs say what a change does.
var verbs = map[cluster.Verb]string{cluster.Create: "create", cluster.Patch: "change", cluster.Delete: "delete"}

func listChanges(d *cli.Deps, changes []cluster.Change) {
	for _, c := range changes {
		object := c.After
		if object == nil {
			object = c.Before
		}
		who := object.GetAnnotations()[tenancy.UserAnnotation]
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
