package auth

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/azure/registration"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow/identity"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
)

// identityOptions are the flags of the commands that make users sign in with another provider.
type identityOptions struct {
	*cli.Deps
	clientID, secretFile, via, url, claim string

	graph registration.Caller // creates the app registration; nil uses one that exists

	remove, yes bool
	dryRun      string
	timeout     time.Duration
}

var identityDryRun = cli.DryRuns("show the changes", "also submit server-side dry-run requests")

func (o *identityOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.clientID, "client-id", "", "the `ID` of the client that is registered with the provider")
	f.StringVar(&o.secretFile, "client-secret-file", "", "read the client secret from `FILE`, on one line; - is standard input")
	f.StringVar(&o.via, "via", signin.ViaDex, "the `COMPONENT` that signs users in with the provider: dex, which keeps its own users, or oauth2-proxy, which replaces dex")
	f.StringVar(&o.url, "url", "", "the `URL` at which users open the dashboard (default: its external HTTPS address)")
	f.StringVar(&o.claim, "user-claim", "", "the `CLAIM` of the provider's tokens that becomes the user's name in Kubeflow")
	f.BoolVar(&o.remove, "remove", false, "restore how users signed in before")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask for confirmation")
	identityDryRun.Add(cmd, f, &o.dryRun, "", "preview without changing anything; `MODE` is %s")
	f.DurationVar(&o.timeout, "timeout", 5*time.Minute, "time out after this `DURATION` if restarted pods are not ready")
	cli.Complete(cmd, "via", cli.Fixed(signin.ViaDex, signin.ViaProxy))
}

// run makes users sign in with an identity, or removes the one that was added. command is the name of the command, for messages.
func (o *identityOptions) run(ctx context.Context, command string, of func(secret string) signin.Identity) error {
	if err := identityDryRun.Check(o.dryRun); err != nil {
		return err
	}
	if err := cli.Positive(o.timeout, "5m"); err != nil {
		return err
	}
	if o.secretFile == "-" && !o.yes && o.dryRun == string(kubeflow.DryRunNone) {
		return inputTaken("--client-secret-file")
	}
	wanted, err := o.wanted(ctx, of)
	if err != nil {
		return err
	}
	client, err := o.Connect()
	if err != nil {
		return err
	}
	plan, err := identity.Prepare(ctx, client, identity.Options{Identity: wanted, DryRun: kubeflow.DryRun(o.dryRun), Graph: o.graph})
	if errors.Is(err, identity.ErrNothing) {
		o.Screen().Say("No identity provider was added. Nothing was changed.")
		return nil
	}
	if err != nil {
		return err
	}
	if plan.Identity != nil && len(plan.Changes()) == 0 && plan.Settled() {
		o.Screen().Say("Nothing to change: users sign in this way.")
		return nil
	}
	o.show(client, plan)
	if o.dryRun != string(kubeflow.DryRunNone) {
		return o.preview(ctx, plan)
	}
	if err := o.Agree(ctx, o.yes, "Apply these changes?", confirmOrPreview); err != nil {
		return err
	}
	return o.apply(ctx, command, plan)
}

// wanted returns the identity that the flags describe; nil with --remove.
func (o *identityOptions) wanted(ctx context.Context, of func(secret string) signin.Identity) (*signin.Identity, error) {
	if o.remove {
		return nil, nil
	}
	secret := ""
	if o.secretFile != "" {
		var err error
		if secret, err = o.ReadPassword(ctx, "client-secret-file", o.secretFile); err != nil {
			return nil, err
		}
	}
	i := of(secret)
	if o.claim != "" {
		i.Claim = o.claim
	}
	checked := i
	if checked.URL == "" { // it is read from the cluster
		checked.URL = "https://HOST"
	}
	if o.graph != nil { // the client is not known yet
		checked = identity.Unregistered(checked)
	}
	if i.Entra != nil && checked.ClientID == "" {
		return nil, &problem.Error{Usage: true, What: "no client: --client-id is missing", Next: "Create one with --create-app, or specify the ID of an app registration. To create one", Command: identity.CreateCommand(checked)}
	}
	return &i, checked.Check()
}

// show lists what changes, and how to register the client.
func (o *identityOptions) show(client *cluster.Client, plan *identity.Plan) {
	s := o.Screen()
	s.Say("On context %s (%s):", client.Context, client.Server())
	for _, t := range plan.Targets {
		if !equality.Semantic.DeepEqual(t.Live.Object, t.Want.Object) {
			s.ChangeFor(cluster.Change{Verb: cluster.Patch, Before: t.Live, After: t.Want}, t.Reasons)
		}
	}
	if plan.Identity == nil && plan.Removes == nil {
		s.Paragraph("No identity provider was added. The client secret of app registration " + escape.Line(plan.App.ClientID()) + " is deleted from the cluster.")
		return
	}
	if plan.Identity == nil {
		s.Paragraph("Users sign in as before " + plan.Removes.Title + " was added, and have to sign in again.")
		return
	}
	if o.graph != nil {
		o.showApp(plan)
		return
	}
	s.Paragraph("Redirect URI that has to be registered with the provider: " + plan.Identity.RedirectURI())
	commands := identity.Commands(*plan.Identity, plan.Subject)
	for _, command := range commands {
		s.Say("  %s", command)
	}
	if len(commands) > 0 {
		s.Paragraph("The first command replaces the redirect URIs of the app registration: add those that other programs use.")
	}
	o.showUsers(plan)
}

// showApp lists what is created in Entra ID before anything changes in the cluster.
func (o *identityOptions) showApp(plan *identity.Plan) {
	s := o.Screen()
	if len(plan.App.Steps) > 0 {
		s.Paragraph("In tenant " + plan.Identity.Entra.Tenant + " of Microsoft Entra ID, first:")
	}
	for _, step := range plan.App.Steps {
		s.Say("  %s", step.Says)
	}
	for _, note := range plan.App.Notes {
		s.Say("  %s", note)
	}
	s.Paragraph("If the tenant does not let users consent to openid, profile, email and User.Read, an administrator has to, once, with: az ad app permission admin-consent --id " + escape.Word(identity.ClientOf(plan)))
	o.showUsers(plan)
}

// showUsers says who signs in afterwards.
func (o *identityOptions) showUsers(plan *identity.Plan) {
	s := o.Screen()
	if plan.Identity.Via == signin.ViaDex {
		s.Paragraph("Users that dex knows itself can still sign in. All users have to sign in again.")
	} else {
		s.Paragraph("Users that dex knows itself can no longer sign in. All users have to sign in again.")
	}
	s.Paragraph("Whoever the provider signs in gets into the dashboard. A user's namespace is the Profile whose owner is the user's name there: the claim " + plan.Identity.Claim + ".")
}

func (o *identityOptions) preview(ctx context.Context, plan *identity.Plan) error {
	if o.dryRun == string(kubeflow.DryRunServer) {
		if err := plan.DryRunServer(ctx); err != nil {
			return err
		}
		o.Screen().Say("The server accepts the changes. Nothing was changed (dry run).")
	} else {
		o.Screen().Say("Nothing was changed (dry run).")
	}
	return plan.Rejected
}

func (o *identityOptions) apply(ctx context.Context, command string, plan *identity.Plan) error {
	err := plan.Apply(ctx, identity.ApplyOptions{Wait: o.timeout, Say: func(line string) { o.Screen().Say("%s", line) }})
	if err != nil && ctx.Err() != nil {
		return &problem.Error{What: cli.Unfinished("change", err), Next: "Complete it with the same command, or undo it with: kubectl kubeflow auth " + escape.Word(command) + " --remove", Err: err}
	}
	if err != nil {
		return err
	}
	s := o.Screen()
	if plan.Identity == nil {
		if plan.Removes != nil {
			s.Say("%s Users sign in as before %s was added.", s.Done(), plan.Removes.Title)
		}
		if id := plan.Registration(); id != "" {
			s.Say("  App registration %s stays. If nothing else uses it, delete it with: az ad app delete --id %s", escape.Line(id), escape.Word(id))
		}
		return nil
	}
	s.Say("%s Users sign in with %s at %s", s.Done(), plan.Identity.Title, plan.Identity.URL)
	s.Say("  Add users with: kubectl kubeflow auth user add EMAIL --profile NAME")
	s.Say("  Undo with: kubectl kubeflow auth %s --remove", escape.Word(command))
	return nil
}
