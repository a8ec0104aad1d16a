//go:build unix

package identity

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/sandboxtest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
)

var kubeconfig string

func TestMain(m *testing.M) {
	sandboxtest.Main(m, &kubeconfig, "--kubernetes=1.35", "--identity-provider")
}

func connect(t *testing.T) *cluster.Client {
	t.Helper()
	sandboxtest.Needed(t)
	return sandboxtest.Connect(t, kubeconfig)
}

// A site is the dashboard and the provider, as this computer reaches them.
type site struct {
	mu       sync.Mutex
	astray   bool // the login page leads somewhere else
	provider string
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case r.URL.Path == "/p/.well-known/openid-configuration":
		_ = json.NewEncoder(w).Encode(map[string]any{"issuer": s.provider + "/p", "authorization_endpoint": s.provider + "/authorize", "token_endpoint": s.provider + "/token", "jwks_uri": s.provider + "/keys"})
	case r.URL.Path == "/token":
		_, secret, _ := r.BasicAuth()
		w.WriteHeader(http.StatusBadRequest)
		answer := map[bool]string{true: "invalid_grant", false: "invalid_client"}[secret == "right-secret"]
		_ = json.NewEncoder(w).Encode(map[string]any{"error": answer})
	case r.URL.Path == "/dex/auth" || r.URL.Path == "/oauth2/start":
		to := "/authorize"
		if s.astray {
			to = "/dex/error"
		}
		http.Redirect(w, r, s.provider+to+"?state=x", http.StatusFound)
	}
}

// TestUsersSignInWithAnotherProviderAndBack goes from dex's own users to a provider by dex, to the same by oauth2-proxy, and back, with a
// wrong secret, a login page that leads astray, an interruption and an install on the way.
func TestUsersSignInWithAnotherProviderAndBack(t *testing.T) {
	client := connect(t)
	install := func() *kubeflow.InstallPlan { return planSignIn(t, client) }
	installSignIn(t, client)
	s := &site{}
	server := httptest.NewServer(s)
	defer server.Close()
	provider := httptest.NewServer(s)
	defer provider.Close()
	s.provider = provider.URL
	wanted := signin.Identity{Name: "okta", Title: "Okta", Issuer: provider.URL + "/p", ClientID: "c1", Secret: "right-secret", Via: signin.ViaDex, URL: server.URL, Claim: "email"}
	prepare := func(i *signin.Identity) (*Plan, error) {
		client.Forget()
		return Prepare(t.Context(), client, Options{Identity: i})
	}
	apply := func(ctx context.Context, i *signin.Identity, say func(string)) error {
		t.Helper()
		plan, err := prepare(i)
		if err != nil {
			return err
		}
		return plan.Apply(ctx, ApplyOptions{Wait: time.Minute, Say: say})
	}
	log := func(line string) { t.Log(line) }
	before := settings(t, client)

	wrong := wanted
	wrong.Secret = "wrong-secret"
	if err := apply(t.Context(), &wrong, log); err == nil || !strings.Contains(err.Error(), "rejects the client secret") {
		t.Errorf("a wrong secret: %v", err)
	}
	s.lead(true)
	var known *problem.Error
	if err := apply(t.Context(), &wanted, log); !errors.As(err, &known) || !strings.Contains(known.What, "the login page does not lead to") || !strings.Contains(known.Next, "all changes were reverted") {
		t.Errorf("a login page that leads astray: %v", err)
	}
	if diff := gocmp.Diff(before, settings(t, client)); diff != "" {
		t.Fatalf("a failed change leaves %s", diff)
	}
	s.lead(false)

	interrupted, stop := context.WithCancel(t.Context())
	err := apply(interrupted, &wanted, func(string) { stop() }) // when it waits for the pods
	if !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	if err := apply(t.Context(), &wanted, log); err != nil {
		t.Fatalf("run again: %v", err)
	}
	if plan, err := prepare(&wanted); err != nil || len(plan.Changes()) > 0 || !plan.Settled() {
		t.Errorf("a third time: %v, %v", plan, err)
	}
	byProxy := wanted
	byProxy.Via = signin.ViaProxy
	if err := apply(t.Context(), &byProxy, log); err != nil {
		t.Fatal(err)
	}
	kept := settings(t, client)
	if _, err := install().Apply(t.Context(), kubeflow.InstallApplyOptions{Timeout: 2 * time.Minute}); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(kept, settings(t, client)); diff != "" {
		t.Errorf("installing again changes %s", diff)
	}
	if plan := install(); plan.Writes() > 0 {
		t.Errorf("installing a third time writes %d objects", plan.Writes())
	}
	if err := apply(t.Context(), nil, log); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(before, settings(t, client)); diff != "" {
		t.Errorf("the removal leaves %s", diff)
	}
	if _, err := prepare(nil); !errors.Is(err, ErrNothing) {
		t.Errorf("removed again: %v", err)
	}
}

// planSignIn plans the install of what signs users in.
func planSignIn(t *testing.T, client *cluster.Client) *kubeflow.InstallPlan {
	t.Helper()
	client.Forget()
	source := kubeflow.Source{Release: cmp.Or(os.Getenv("KUBEFLOW_TEST_SIGNIN"), "26.03"), Only: []string{"dex", "oauth2-proxy", "kubeflow"}, Mirror: kubetest.Mirror(t), SkipVerify: true, CacheDir: t.TempDir()}
	plan, err := kubeflow.PrepareInstall(t.Context(), client, kubeflow.InstallOptions{Source: source})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// installSignIn installs it, if it is not there.
func installSignIn(t *testing.T, client *cluster.Client) {
	t.Helper()
	plan := planSignIn(t, client)
	if plan.Refused != nil {
		t.Fatal(plan.Refused)
	}
	if _, err := plan.Apply(t.Context(), kubeflow.InstallApplyOptions{Timeout: 4 * time.Minute}); err != nil {
		t.Fatal(err)
	}
}

func (s *site) lead(astray bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.astray = astray
}

// settings returns what users sign in with: the data and specs of all objects that are about it, by name.
func settings(t *testing.T, client *cluster.Client) map[string]any {
	t.Helper()
	client.Forget()
	all := map[string]any{}
	revision := "none"
	if r, _, err := signin.ReadRecord(t.Context(), client.View()); err != nil {
		t.Fatal(err)
	} else if r != nil {
		revision = r.Identity.Revision
	}
	for _, kind := range []cluster.Ref{
		{APIVersion: "v1", Kind: "ConfigMap"}, {APIVersion: "v1", Kind: "Secret"}, {APIVersion: "v1", Kind: "ServiceAccount"},
		{APIVersion: "apps/v1", Kind: "Deployment"}, {APIVersion: "security.istio.io/v1", Kind: "RequestAuthentication"},
	} {
		for _, namespace := range []string{"auth", "oauth2-proxy", "istio-system", "kubectl-kubeflow"} {
			list, err := client.View().List(t.Context(), kind.GroupKind(), cluster.Scope{Namespace: namespace})
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range list {
				if o.GetName() == "istio-ca-root-cert" || strings.HasPrefix(o.GetName(), "kubectl-kubeflow") && o.GetName() != signin.RecordRef.Name {
					continue
				}
				name := cluster.RefOf(o).String()
				if o.GetName() == signin.RecordRef.Name {
					all[name] = true
				} else {
					text, err := json.Marshal(map[string]any{"data": o.Object["data"], "spec": o.Object["spec"], "labels": o.GetLabels()})
					if err != nil {
						t.Fatal(err)
					}
					all[name] = strings.ReplaceAll(string(text), revision, "REVISION")
				}
			}
		}
	}
	return all
}
