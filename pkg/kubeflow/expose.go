package kubeflow

import (
	"cmp"
	"context"
	"regexp"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/loadbalancer"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/tls"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/lock"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
)

// ExposeOptions say how the dashboard gets an address of the load balancer.
type ExposeOptions struct {
	expose.Options
	AllowUnauthenticated    bool // a public address without authentication
	AllowDefaultCredentials bool // a public address with the default password or secrets
	DryRun                  DryRun
}

// PrepareExpose decides what to change so that the dashboard has its address, and whether that is safe. It changes nothing.
// An unsafe plan is not an error but the plan's Refused. A dry run is never refused.
func PrepareExpose(ctx context.Context, client *cluster.Client, o ExposeOptions) (*ExposePlan, error) {
	p, err := o.prepare(ctx, client.View())
	if p != nil {
		p.client = client
	}
	return p, err
}

// PreviewExpose is PrepareExpose for any view, such as a support bundle. Its plan cannot be applied.
func PreviewExpose(ctx context.Context, view cluster.View, o ExposeOptions) (*ExposePlan, error) {
	return o.prepare(ctx, view)
}

// prepare returns a plan even with an error, once the dashboard has been read.
func (o ExposeOptions) prepare(ctx context.Context, view cluster.View) (*ExposePlan, error) {
	t, err := expose.Read(ctx, view)
	if err != nil {
		return nil, err
	}
	p := &ExposePlan{Target: t, secure: tls.Read(ctx, view, t, o.Options), options: o}
	if p.Plan, err = loadbalancer.NewPlan(p.secure, o.Options); err != nil {
		return p, err
	}
	if uri := movedRedirect(p.All()); uri != "" {
		p.Notes = append(p.Notes, registerAgain(ctx, view, uri))
	}
	if !o.DryRun.writes() {
		return p, nil
	}
	p.Refused, err = o.judge(ctx, view, p.Target, p.Plan)
	return p, err
}

// redirectURI finds where an identity provider sends signed-in users, in the settings of dex and oauth2-proxy.
var redirectURI = regexp.MustCompile(`https://[^/\s"']+/(dex|oauth2)/callback`)

// movedRedirect returns the redirect URI that changes make of another one, "" if they make none.
func movedRedirect(changes []cluster.Change) string {
	for _, c := range changes {
		if c.Before == nil || c.After == nil {
			continue
		}
		for key, value := range kube.Map(c.After.Object, "data") {
			text, _ := value.(string)
			before, now := redirectURI.FindString(kube.Text(c.Before.Object, "data", key)), redirectURI.FindString(text)
			if before != "" && now != "" && before != now {
				return now
			}
		}
	}
	return ""
}

// registerAgain says what has to be registered with the identity provider of users, which only knows the old address.
func registerAgain(ctx context.Context, view cluster.View, uri string) string {
	note := "Users sign in with a provider that has to know the new redirect URI: register " + uri + " there."
	if r, _, err := signin.ReadRecord(ctx, view); err == nil && r != nil && r.Identity.Entra != nil {
		note += " With az: az ad app update --id " + escape.Word(r.Identity.ClientID) + " --web-redirect-uris " + escape.Word(uri) + " (which replaces the others), or with kubectl kubeflow auth entra --create-app, if that created the app registration."
	}
	return note
}

// An UnexposePlan is what reverts everything that expose created and changed.
type UnexposePlan struct {
	Changes []cluster.Change
	Foreign []cluster.Ref // what has the labels of expose, but is not known to be its: it stays

	client *cluster.Client
}

// PrepareUnexpose decides what to revert, even without a gateway. It changes nothing.
func PrepareUnexpose(ctx context.Context, client *cluster.Client) (*UnexposePlan, error) {
	made, err := expose.ReadInventory(ctx, client.View())
	if apierrors.IsForbidden(err) { // not allowed in every namespace: try the one of the gateway
		var t expose.Target
		if t, err = expose.Read(ctx, client.View()); err == nil {
			made = t.Inventory
		}
	}
	if err != nil {
		return nil, err
	}
	return &UnexposePlan{Changes: expose.PlanRemoval(made), Foreign: made.Foreign, client: client}, nil
}

// UnexposeApplyOptions say how an UnexposePlan is carried out.
type UnexposeApplyOptions struct {
	Timeout time.Duration        // how long to wait until Azure has released the address as well; 0 does not wait
	Removed func(cluster.Change) // called for each change that is done; may be nil
	Notify  Notify
}

// Apply reverts. It holds the cluster's Lease.
func (p *UnexposePlan) Apply(ctx context.Context, o UnexposeApplyOptions) error {
	if len(p.Changes) == 0 {
		return nil
	}
	held, release, err := lock.Acquire(ctx, p.client, "removing the address of the dashboard", func(e lock.Event) { o.Notify.say("%s", e) })
	if err != nil {
		return err
	}
	defer release()
	err = expose.Remove(held, p.client, p.Changes, expose.Removal{Timeout: o.Timeout, Removed: o.Removed})
	return cmp.Or(lock.Lost(held), err)
}

// DryRun lets the server check the changes. Nothing is changed.
func (p *UnexposePlan) DryRun(ctx context.Context) error {
	return expose.Remove(ctx, p.client, p.Changes, expose.Removal{DryRun: true})
}
