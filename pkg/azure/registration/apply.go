package registration

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A Caller makes calls to Microsoft Graph: a *azure.Directory. A PATCH is an upsert.
type Caller interface {
	Call(ctx context.Context, method, path, doing string, body, into any) (status int, err error)
}

// Look reads what there is in the tenant, and changes nothing.
func Look(ctx context.Context, graph Caller, w Wanted) (Found, error) {
	var f Found
	var app Application
	const fields = "?$select=id,appId,displayName,signInAudience,createdDateTime,web,requiredResourceAccess,passwordCredentials"
	found, err := get(ctx, graph, "/applications(uniqueName='"+w.UniqueName+"')"+fields, "reading the app registration", &app)
	if err != nil || !found {
		return f, err
	}
	f.Application = &app
	if f.Principal, err = get(ctx, graph, principal(app)+"?$select=id", "reading the service principal", nil); err != nil {
		return f, err
	}
	if w.Federated != nil {
		var list struct {
			Value []Credential `json:"value"`
		}
		if _, err = get(ctx, graph, application(app)+"/federatedIdentityCredentials", "reading the federated credentials", &list); err != nil {
			return f, err
		}
		f.Federated = list.Value
	}
	return f, nil
}

func application(app Application) string { return "/applications/" + url.PathEscape(app.ID) }

func principal(app Application) string {
	return "/servicePrincipals(appId='" + url.PathEscape(app.AppID) + "')"
}

func get(ctx context.Context, graph Caller, path, doing string, into any) (found bool, err error) {
	status, err := graph.Call(ctx, http.MethodGet, path, doing, nil, into)
	if status == http.StatusNotFound {
		return false, nil
	}
	return err == nil, err
}

// A Run makes steps.
type Run struct {
	Graph Caller
	Say   func(line string)
	Keep  func(ctx context.Context, h Held) error // stores a new client secret in the cluster, before anything else happens
	Wait  time.Duration                           // the longest wait for what was created to be known everywhere; see [Patience]
}

// Patience is how long Entra ID may take until all of its servers know what was created. There is no promise; minutes have been seen.
const Patience = 2 * time.Minute

// Apply makes the steps and returns the client ID, and the client secret if one was added.
func (r Run) Apply(ctx context.Context, w Wanted, f Found, steps []Step) (clientID string, added *Held, err error) {
	var app Application
	if f.Application != nil {
		app = *f.Application
	}
	for _, s := range steps {
		switch s.Action {
		case Create, Update:
			err = r.write(ctx, w, &app)
		case Principal:
			err = r.settled(ctx, func() (int, error) { // 400 is a reference to what the server does not know
				return r.Graph.Call(ctx, http.MethodPatch, principal(app), "creating the service principal", map[string]any{"displayName": w.DisplayName}, nil)
			}, http.StatusNotFound, http.StatusBadRequest)
		case RemoveSecret:
			err = r.removeSecret(ctx, app, s.KeyID)
		case AddSecret:
			added, err = r.addSecret(ctx, app)
		case Federate:
			err = r.settled(ctx, func() (int, error) {
				return r.Graph.Call(ctx, http.MethodPatch, application(app)+"/federatedIdentityCredentials(name='"+credential+"')", "adding the federated credential", w.federated(), nil)
			}, http.StatusNotFound)
		}
		if err != nil {
			return app.AppID, added, err
		}
		r.say(s, app)
	}
	return app.AppID, added, nil
}

func (r Run) say(s Step, app Application) {
	switch s.Action {
	case Create:
		r.Say("created app registration " + app.AppID)
	case Principal:
		r.Say("created the service principal of " + app.AppID)
	case AddSecret:
		r.Say("added a client secret, which is in the cluster")
	case RemoveSecret:
		r.Say("removed client secret " + s.KeyID)
	case Federate:
		r.Say("added federated credential " + credential)
	case Update:
		r.Say("changed app registration " + app.AppID)
	}
}

// write creates the application, or changes it. An answer may come from a server that does not know it yet.
func (r Run) write(ctx context.Context, w Wanted, app *Application) error {
	path := "/applications(uniqueName='" + w.UniqueName + "')"
	var written Application
	if status, err := r.Graph.Call(ctx, http.MethodPatch, path, "writing the app registration", w.body(*app), &written); err != nil {
		return err
	} else if status != http.StatusNoContent && written.AppID != "" {
		*app = written
		return nil
	}
	if app.AppID != "" {
		return nil
	}
	return r.settled(ctx, func() (int, error) { // an earlier run created it
		status, err := r.Graph.Call(ctx, http.MethodGet, path, "reading the app registration", nil, app)
		if err == nil && app.AppID == "" {
			err = &problem.Error{What: "Microsoft Graph did not say which app registration it created", Next: "Run the same command again"}
		}
		return status, err
	}, http.StatusNotFound)
}

// answerTime is how long the answer with a client secret is waited for, also by a run that is interrupted: it comes once.
const answerTime = 30 * time.Second

// addSecret adds a client secret and gives it to the cluster. What the cluster cannot keep is removed again.
func (r Run) addSecret(ctx context.Context, app Application) (*Held, error) {
	var p Password
	err := r.settled(ctx, func() (int, error) {
		whole, stop := context.WithTimeout(context.WithoutCancel(ctx), answerTime)
		defer stop()
		return r.Graph.Call(whole, http.MethodPost, application(app)+"/addPassword", "adding a client secret", map[string]any{"passwordCredential": map[string]any{"displayName": credential}}, &p)
	}, http.StatusNotFound)
	if err != nil {
		return nil, err
	}
	whole, stop := context.WithTimeout(context.WithoutCancel(ctx), answerTime)
	defer stop()
	h := &Held{ClientID: app.AppID, KeyID: p.KeyID, Secret: p.Text, Until: p.Until}
	if err := r.Keep(whole, *h); err != nil {
		_ = r.removeSecret(whole, app, h.KeyID)
		return nil, fmt.Errorf("keeping the client secret: %w", err)
	}
	r.sweep(whole, app, *h)
	return h, nil
}

func (r Run) removeSecret(ctx context.Context, app Application, id string) error {
	_, err := r.Graph.Call(ctx, http.MethodPost, application(app)+"/removePassword", "removing a client secret", map[string]any{"keyId": id}, nil)
	return err
}

// sweep removes secrets that a repeated request added because the answer to the first one was lost. What it cannot see yet, the next run
// removes.
func (r Run) sweep(ctx context.Context, app Application, h Held) {
	var now Application
	if found, err := get(ctx, r.Graph, application(app)+"?$select=id,passwordCredentials", "reading the app registration", &now); err != nil || !found {
		return
	}
	for _, p := range now.Secrets {
		if p.Name == credential && p.KeyID != h.KeyID {
			_ = r.removeSecret(ctx, app, p.KeyID)
		}
	}
}

// settled repeats a call on what was just created while the server that answers does not know it, which one of some statuses tells.
func (r Run) settled(ctx context.Context, call func() (int, error), unknown ...int) error {
	return Patiently(ctx, r.Wait, func() (bool, error) {
		status, err := call()
		return slices.Contains(unknown, status), err
	})
}

// Patiently makes a call, and again with growing pauses while it fails and says that another one may not; at most for the time given. The
// error is the last one.
func Patiently(ctx context.Context, patience time.Duration, call func() (again bool, err error)) error {
	deadline := time.Now().Add(patience)
	pauses := wait.Backoff{Duration: 500 * time.Millisecond, Factor: 2, Steps: 10, Cap: 10 * time.Second}
	for {
		again, err := call()
		pause := pauses.Step()
		if err == nil || !again || time.Now().Add(pause).After(deadline) {
			return err
		}
		if err := kube.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}
