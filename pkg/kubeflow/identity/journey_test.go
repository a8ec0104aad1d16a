//go:build unix

package identity

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/fixes"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
)

// TestUsersSignInWithABrowser goes, in a real browser, from the default password to a changed one, to Entra ID by dex, to Entra ID by
// oauth2-proxy and back: after each step it signs in who should get in and who should not.
func TestUsersSignInWithABrowser(t *testing.T) {
	if os.Getenv("KUBEFLOW_TEST_SIGNIN") == "" {
		t.Skip("takes minutes: make signin runs it, for each release in KUBEFLOW_TEST_SIGNIN")
	}
	client := connect(t)
	installSignIn(t, client)
	e, at := readTenant(t), forward(t)
	browser := startBrowser(t, e)
	const local, alice, bob, mallory, changed = "user@example.com", "alice@contoso.example", "bob@contoso.example", "mallory@fabrikam.example", "a-better-password"
	password := "12341234"
	var sessions []tab
	people := func(when string, in, out []string) {
		t.Helper()
		for _, old := range sessions { // of the sign-in that there was: all have to sign in again
			if old.passes() {
				t.Errorf("%s, an ended session still gets in", when)
			}
		}
		sessions = nil
		for i, user := range append(in, out...) {
			with := e.Password
			if user == local {
				with = password
			}
			tab := browser.open()
			now := tab.signIn(at, user, with)
			if got, want := tab.in(now, user), i < len(in); got != want {
				t.Errorf("%s, %s gets in: %t, want %t; at %s (%d): %s", when, user, got, want, now.URL, now.Status, now.Body)
			} else if got {
				sessions = append(sessions, tab)
			}
		}
		for name, token := range map[string]string{"forged": forgedToken, "of another client": e.tokenFor(t, e.Tenant, alice, otherClient(t, e)), "of another tenant": e.tokenFor(t, e.OtherTenant, mallory, [2]string{e.ClientID, e.ClientSecret})} {
			if token == "" {
				t.Errorf("%s: there is no token %s to try", when, name)
			}
			if status, page := get(t, e.browser(t), at+"/", "Authorization", "Bearer "+token); status != http.StatusUnauthorized && status != http.StatusForbidden {
				t.Errorf("%s, a token %s gets in: %d %.200s", when, name, status, page)
			}
		}
		t.Logf("%s: in %v, out %v", when, in, out)
	}
	apply := func(i *signin.Identity, o Options) { t.Helper(); e.apply(t, client, i, o) }

	people("with the default password", []string{local}, nil)
	sessions = nil // a new password ends no session
	setPassword(t, client, local, changed)
	people("with a changed password", nil, []string{local})
	password = changed
	people("with the new password", []string{local}, nil)
	byDex := signin.NewEntra(signin.Entra{Tenant: e.Tenant, Cloud: "AzureCloud"}, e.ClientID, e.ClientSecret, signin.ViaDex, at)
	apply(&byDex, Options{})
	people("with Entra ID by dex", []string{local, alice, bob}, []string{mallory})
	federated := os.Getenv("KUBEFLOW_TEST_SIGNIN") >= "26" // the oauth2-proxy of 1.10 has no workload identities
	byProxy := signin.NewEntra(signin.Entra{Tenant: e.Tenant, Cloud: "AzureCloud", WorkloadIdentity: federated}, "", "", signin.ViaProxy, at)
	apply(&byProxy, Options{Graph: graph{e.browser(t), e.AzToken}, ClusterIssuer: "https://kubernetes.default.svc.cluster.local"})
	people("with Entra ID by oauth2-proxy", []string{alice, bob}, []string{mallory})
	apply(nil, Options{})
	people("back", []string{local}, nil)
}

func setPassword(t *testing.T, client *cluster.Client, user, password string) {
	t.Helper()
	hash, err := signin.HashPassword(password)
	if err != nil {
		t.Fatal(err)
	}
	client.Forget()
	report, err := kubeflow.SetPassword(t.Context(), client, user, hash, kubeflow.Options{Options: fixes.Options{Wait: 3 * time.Minute,
		Confirm: func(_ context.Context, plan doctor.FixPlan) ([]doctor.Proposal, error) { return plan.Apply, nil }}})
	if err != nil || len(report.Fixes) == 0 || report.Fixes[0].Outcome != doctor.Fixed {
		t.Fatalf("the password: %v, %+v", err, report)
	}
}

// otherClient registers another client in the tenant, once.
func otherClient(t *testing.T, e tenant) [2]string {
	t.Helper()
	if other[0] != "" {
		return other
	}
	g := graph{e.browser(t), e.AzToken}
	var app struct{ ID, AppID string }
	if _, err := g.Call(t.Context(), http.MethodPatch, "/applications(uniqueName='other')", "", map[string]any{"displayName": "other", "web": map[string]any{"redirectUris": []string{anywhere}}}, &app); err != nil {
		t.Fatal(err)
	}
	var secret struct{ SecretText string }
	for range 5 { // the first requests meet servers that do not know it
		_, _ = g.Call(t.Context(), http.MethodPatch, "/servicePrincipals(appId='"+app.AppID+"')", "", map[string]any{}, nil)
		if secret.SecretText == "" {
			_, _ = g.Call(t.Context(), http.MethodPost, "/applications/"+app.ID+"/addPassword", "", map[string]any{}, &secret)
		}
	}
	other = [2]string{app.AppID, secret.SecretText}
	return other
}

var other [2]string

// anywhere is a redirect URI of every client.
const anywhere = "https://client.example.com/oauth2/callback"

// tokenFor returns a valid ID token of a user for a client.
func (e tenant) tokenFor(t *testing.T, tenant, user string, client [2]string) string {
	t.Helper()
	browser := e.browser(t)
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	base := "https://login.microsoftonline.com/" + tenant + "/oauth2/v2.0"
	query := url.Values{"client_id": {client[0]}, "redirect_uri": {anywhere}, "scope": {"openid profile email"}, "state": {"s"}, "response_type": {"code"}}
	response, err := browser.PostForm(base+"/authorize?"+query.Encode(), url.Values{"login": {user}, "password": {e.Password}})
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	to, _ := url.Parse(response.Header.Get("Location"))
	if to == nil {
		return ""
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {to.Query().Get("code")}, "redirect_uri": {anywhere}, "client_id": {client[0]}, "client_secret": {client[1]}}
	if response, err = browser.Post(base+"/token", "application/x-www-form-urlencoded", strings.NewReader(form.Encode())); err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		IDToken string `json:"id_token"`
	}
	_ = json.NewDecoder(response.Body).Decode(&answer)
	return answer.IDToken
}
