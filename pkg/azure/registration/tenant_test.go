package registration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A tenant answers as Microsoft Graph does: PATCH by an alternate key creates or changes, a client secret is shown once, and what was just
// created is not known everywhere.
type tenant struct {
	apps       map[string]*Application // by unique name
	principals map[string]bool
	federated  map[string]map[string]Credential // by application and name
	created    int
	delay      int // how many requests about a new object meet a server that does not know it
	unknown    int

	calls int
	cut   int  // the request at which the program ends, 0 for none
	lost  bool // after it was carried out
}

func newTenant() *tenant {
	return &tenant{apps: map[string]*Application{}, principals: map[string]bool{}, federated: map[string]map[string]Credential{}}
}

var errCut = errors.New("the connection was cut")

func (t *tenant) Call(_ context.Context, method, path, _ string, body, into any) (int, error) {
	t.calls++
	if t.cut != 0 && t.calls >= t.cut && !(t.lost && t.calls == t.cut) {
		return 0, errCut
	}
	status, answer := t.do(method, path, body)
	if t.cut != 0 && t.calls == t.cut {
		return 0, errCut
	}
	if status >= 300 {
		return status, fmt.Errorf("%s %s: %d", method, path, status)
	}
	if into != nil && status != http.StatusNoContent {
		text, _ := json.Marshal(answer)
		_ = json.Unmarshal(text, into)
	}
	return status, nil
}

func (t *tenant) do(method, path string, body any) (int, any) {
	path, _, _ = strings.Cut(path, "?")
	text, _ := json.Marshal(body)
	key := between(path, "='", "')")
	switch {
	case strings.HasPrefix(path, "/applications(uniqueName"):
		if method == http.MethodPatch {
			return t.patch(key, text)
		}
		if t.apps[key] == nil {
			return 404, nil
		}
		return 200, t.shown(*t.apps[key])
	case strings.HasPrefix(path, "/servicePrincipals"):
		return t.principal(method, key)
	}
	app := t.byID(strings.Split(strings.TrimPrefix(path, "/applications/"), "/")[0])
	if app == nil || t.late() {
		return 404, nil
	}
	return t.onApp(app, method, path, key, text)
}

func (t *tenant) patch(key string, text []byte) (int, any) {
	app := t.apps[key]
	if app != nil {
		_ = json.Unmarshal(text, app)
		return 204, nil
	}
	t.created++
	app = &Application{ID: fmt.Sprintf("object-%d", t.created), AppID: fmt.Sprintf("client-%d", t.created), Audience: "AzureADandPersonalMicrosoftAccount", Created: time.Unix(0, 0)}
	_ = json.Unmarshal(text, app)
	t.apps[key], t.unknown = app, t.delay
	return 201, t.shown(*app)
}

func (t *tenant) principal(method, key string) (int, any) {
	switch {
	case t.late() || t.byClient(key) == nil:
		return map[string]int{http.MethodGet: 404}[method] + map[string]int{http.MethodPatch: 400}[method], nil
	case method == http.MethodPatch && !t.principals[key]:
		t.principals[key] = true
		return 201, nil
	case t.principals[key]:
		return 200, nil
	}
	return 404, nil
}

func (t *tenant) onApp(app *Application, method, path, key string, text []byte) (int, any) {
	switch {
	case strings.HasSuffix(path, "/addPassword"):
		t.created++
		p := Password{KeyID: fmt.Sprintf("key-%d", t.created), Name: credential, Until: time.Now().AddDate(2, 0, 0), Text: fmt.Sprintf("secret-%d", t.created)}
		app.Secrets = append(app.Secrets, p)
		return 200, p
	case strings.HasSuffix(path, "/removePassword"):
		var of struct{ KeyID string }
		_ = json.Unmarshal(text, &of)
		app.Secrets = slices.DeleteFunc(app.Secrets, func(p Password) bool { return p.KeyID == of.KeyID })
		return 204, nil
	case strings.HasSuffix(path, "/federatedIdentityCredentials"):
		var all []Credential
		for _, c := range t.federated[app.ID] {
			all = append(all, c)
		}
		return 200, map[string]any{"value": all}
	case strings.Contains(path, "/federatedIdentityCredentials("):
		var c Credential
		_ = json.Unmarshal(text, &c)
		t.federated[app.ID] = map[string]Credential{key: c}
		return 201, c
	}
	return 200, t.shown(*app)
}

// shown is an application as Graph shows it: without the values of secrets.
func (t *tenant) shown(app Application) Application {
	app.Secrets = slices.Clone(app.Secrets)
	for i := range app.Secrets {
		app.Secrets[i].Text = ""
	}
	return app
}

func (t *tenant) late() bool {
	t.unknown--
	return t.unknown >= 0
}

func (t *tenant) byID(id string) *Application {
	for _, a := range t.apps {
		if a.ID == id {
			return a
		}
	}
	return nil
}

func (t *tenant) byClient(id string) *Application {
	for _, a := range t.apps {
		if a.AppID == id {
			return a
		}
	}
	return nil
}

func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}
