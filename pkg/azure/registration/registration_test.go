package registration

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

var byDex = Wanted{UniqueName: UniqueName("uid-1"), DisplayName: "kubeflow", RedirectURI: "https://kf.example.com/dex/callback"}

func withoutSecret() Wanted {
	w := byDex
	w.Federated = &Federated{Issuer: "https://oidc.example.com/", Subject: "system:serviceaccount:oauth2-proxy:oauth2-proxy"}
	return w
}

// A cluster keeps what a run gives it.
type cluster struct {
	held Held
	said []string
	err  error // of keeping a secret
}

// register makes one run, and returns how many steps it had.
func (c *cluster) register(t *tenant, w Wanted) (int, error) {
	ctx := context.Background()
	found, err := Look(ctx, t, w)
	if err != nil {
		return 0, err
	}
	steps := Decide(w, found, c.held, time.Now())
	run := Run{Graph: t, Wait: 10 * time.Second, Say: func(line string) { c.said = append(c.said, line) }, Keep: func(_ context.Context, h Held) error {
		if c.err == nil {
			c.held = h
		}
		return c.err
	}}
	_, _, err = run.Apply(ctx, w, found, steps)
	return len(steps), err
}

// complete fails unless the tenant has exactly what is wanted, and the cluster its secret.
func complete(t *testing.T, when string, in *tenant, c *cluster, w Wanted) {
	t.Helper()
	if len(in.apps) != 1 || len(in.principals) != 1 {
		t.Fatalf("%s: %d app registrations, %d service principals", when, len(in.apps), len(in.principals))
	}
	app := in.apps[w.UniqueName]
	if app == nil || app.Audience != singleTenant || !slices.Contains(app.Web.RedirectURIs, w.RedirectURI) || len(app.access()) > 0 {
		t.Fatalf("%s: %+v", when, app)
	}
	if w.Federated != nil {
		if len(app.Secrets) != 0 || len(in.federated[app.ID]) != 1 || !in.federated[app.ID][credential].is(w.federated()) {
			t.Fatalf("%s: %+v, %+v", when, app.Secrets, in.federated)
		}
		return
	}
	if len(app.Secrets) != 1 || app.Secrets[0].Text != c.held.Secret || app.Secrets[0].KeyID != c.held.KeyID || c.held.ClientID != app.AppID {
		t.Fatalf("%s: the tenant has %+v, the cluster %+v", when, app.Secrets, c.held)
	}
}

func TestAnAppIsRegisteredOnce(t *testing.T) {
	for name, w := range map[string]Wanted{"with a secret": byDex, "without": withoutSecret()} {
		in, c := newTenant(), &cluster{}
		if steps, err := c.register(in, w); err != nil || steps < 3 {
			t.Fatalf("%s: %d steps, %v", name, steps, err)
		}
		complete(t, name, in, c, w)
		before := *in.apps[w.UniqueName]
		if steps, err := c.register(in, w); err != nil || steps != 0 {
			t.Errorf("%s, again: %d steps, %v", name, steps, err)
		}
		if after := *in.apps[w.UniqueName]; after.AppID != before.AppID || len(after.Secrets) != len(before.Secrets) {
			t.Errorf("%s, again: %+v", name, after)
		}
		if all := strings.Join(c.said, " "); c.held.Secret != "" && strings.Contains(all, c.held.Secret) {
			t.Errorf("%s: the secret is shown: %s", name, all)
		}
	}
}

// TestARunThatIsCutOffIsCompleted cuts the connection at each request, before and after it is carried out.
func TestARunThatIsCutOffIsCompleted(t *testing.T) {
	for name, w := range map[string]Wanted{"with a secret": byDex, "without": withoutSecret()} {
		for _, lost := range []bool{false, true} {
			for cut := 1; ; cut++ {
				in, c := newTenant(), &cluster{}
				in.cut, in.lost = cut, lost
				_, err := c.register(in, w)
				if in.calls < cut {
					if cut < 4 {
						t.Fatalf("%s: only %d requests", name, in.calls)
					}
					break
				}
				if err != nil && !errors.Is(err, errCut) {
					t.Fatalf("%s, cut at %d: %v", name, cut, err)
				}
				in.cut = 0
				if _, err := c.register(in, w); err != nil {
					t.Fatalf("%s, cut at %d, again: %v", name, cut, err)
				}
				complete(t, name, in, c, w)
			}
		}
	}
}

func TestServersThatDoNotKnowItYetAreAskedAgain(t *testing.T) {
	for name, w := range map[string]Wanted{"with a secret": byDex, "without": withoutSecret()} {
		in, c := newTenant(), &cluster{}
		in.delay = 2
		if _, err := c.register(in, w); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		complete(t, name, in, c, w)
	}
}

func TestASecretThatTheClusterCannotKeepIsRemoved(t *testing.T) {
	in, c := newTenant(), &cluster{err: errors.New("forbidden")}
	if _, err := c.register(in, byDex); err == nil || len(in.apps[byDex.UniqueName].Secrets) != 0 {
		t.Errorf("%v, %+v", err, in.apps[byDex.UniqueName].Secrets)
	}
}

func TestWhatOthersAddedStays(t *testing.T) {
	in, c := newTenant(), &cluster{}
	if _, err := c.register(in, byDex); err != nil {
		t.Fatal(err)
	}
	app := in.apps[byDex.UniqueName]
	app.Web.RedirectURIs = append(app.Web.RedirectURIs, "https://other.example.com/callback")
	app.Access = append(app.Access, Access{API: "other", Scopes: []Scope{{"s", "Role"}}})
	app.Secrets = append(app.Secrets, Password{KeyID: "theirs", Name: "theirs", Until: time.Now().AddDate(1, 0, 0)})
	app.Name = "Renamed"
	moved := byDex
	moved.RedirectURI = "https://new.example.com/dex/callback"
	if steps, err := c.register(in, moved); err != nil || steps != 1 {
		t.Fatalf("%d steps, %v", steps, err)
	}
	want := []string{byDex.RedirectURI, "https://other.example.com/callback", moved.RedirectURI}
	if app := in.apps[byDex.UniqueName]; !slices.Equal(app.Web.RedirectURIs, want) || len(app.Access) != 2 || len(app.Secrets) != 2 || app.Name != "Renamed" {
		t.Errorf("%+v", app)
	}
	if notes := strings.Join(Notes(moved, Found{Application: app}), " "); !strings.Contains(notes, "other.example.com") || !strings.Contains(notes, "1 client secret of others") {
		t.Errorf("notes: %s", notes)
	}
}

func TestAnExpiredOrDeletedSecretIsReplaced(t *testing.T) {
	for name, change := range map[string]func(*Application, *cluster){
		"expired":         func(a *Application, _ *cluster) { a.Secrets[0].Until = time.Now().Add(-time.Hour) },
		"deleted":         func(a *Application, _ *cluster) { a.Secrets = nil },
		"not the cluster": func(_ *Application, c *cluster) { c.held = Held{} },
		"of another app":  func(_ *Application, c *cluster) { c.held.ClientID = "client-9" },
	} {
		in, c := newTenant(), &cluster{}
		if _, err := c.register(in, byDex); err != nil {
			t.Fatal(err)
		}
		old := c.held.KeyID
		change(in.apps[byDex.UniqueName], c)
		if _, err := c.register(in, byDex); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		complete(t, name, in, c, byDex)
		if c.held.KeyID == old {
			t.Errorf("%s: the secret stays", name)
		}
	}
}
