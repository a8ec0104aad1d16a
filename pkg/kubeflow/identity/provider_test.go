package identity

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/azure/registration"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
)

// A fake is a provider that knows one client.
type fake struct {
	document func(base string) map[string]any
	formOnly bool
	code     bool // looks at the code before the client
}

func (f fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	base := "http://" + r.Host
	switch r.URL.Path {
	case "/t/.well-known/openid-configuration":
		d := map[string]any{"issuer": base + "/t", "authorization_endpoint": base + "/authorize", "token_endpoint": base + "/token", "jwks_uri": base + "/keys"}
		if f.document != nil {
			d = f.document(base)
		}
		if d == nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_ = json.NewEncoder(w).Encode(d)
	case "/authorize":
		if r.URL.Query().Get("client_id") != "c1" || r.URL.Query().Get("redirect_uri") != "https://kf.example.com/dex/callback" {
			w.WriteHeader(http.StatusBadRequest)
		}
	case "/token":
		id, secret, basic := r.BasicAuth()
		if !basic || f.formOnly {
			id, secret = r.FormValue("client_id"), r.FormValue("client_secret")
		}
		w.WriteHeader(http.StatusBadRequest)
		answer := "invalid_grant"
		if !f.code && (id != "c1" || secret != "right") {
			answer = "invalid_client"
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"error": answer})
	}
}

func TestAProviderIsAskedBeforeAnythingChanges(t *testing.T) {
	right := func(*signin.Identity) {}
	for name, c := range map[string]struct {
		fake   fake
		change func(*signin.Identity)
		says   string
	}{
		"a client that it knows":           {fake{}, right, ""},
		"a secret in the form":             {fake{formOnly: true}, right, ""},
		"one that looks at the code first": {fake{code: true}, right, ""},
		"a wrong secret":                   {fake{}, func(i *signin.Identity) { i.Secret = "wrong" }, "rejects the client secret of c1"},
		"a wrong client":                   {fake{}, func(i *signin.Identity) { i.ClientID = "c2" }, "rejects the client c2 with the redirect URI"},
		"a wrong redirect URI":             {fake{}, func(i *signin.Identity) { i.URL = "https://other.example.com" }, "redirect URI https://other.example.com/dex/callback"},
		"another issuer": {fake{document: func(base string) map[string]any { return map[string]any{"issuer": base} }}, right,
			"its discovery document names the issuer"},
		"no keys": {fake{document: func(base string) map[string]any {
			return map[string]any{"issuer": base + "/t", "authorization_endpoint": base + "/authorize", "token_endpoint": base + "/token"}
		}}, right, "its discovery document has no jwks_uri"},
		"an outage": {fake{document: func(string) map[string]any { return nil }}, right, "it answers 503"},
		"nothing":   {fake{}, func(i *signin.Identity) { i.Issuer = "http://127.0.0.1:1/t" }, "it does not answer"},
	} {
		server := httptest.NewServer(c.fake)
		i := signin.Identity{Name: "a", Title: "A", Issuer: server.URL + "/t", ClientID: "c1", Secret: "right", Via: signin.ViaDex, URL: "https://kf.example.com", Claim: "email"}
		c.change(&i)
		_, err := newProvider(nil, i).check(t.Context())
		var p *problem.Error
		if c.says == "" && err != nil || c.says != "" && (!errors.As(err, &p) || !strings.Contains(p.What, c.says) || p.Next == "") {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
		if err != nil && strings.Contains(err.Error(), i.Secret) && i.Secret != "right" && !strings.Contains("rejects", i.Secret) {
			t.Errorf("%s: the error shows the secret", name)
		}
		server.Close()
	}
}

func TestTheCommandsOfAzNameTheRedirectURI(t *testing.T) {
	entra := signin.Entra{Tenant: "11111111-2222-3333-4444-555555555555", Cloud: "AzureCloud"}
	dex := signin.NewEntra(entra, "c1", "s", signin.ViaDex, "https://kf.example.com")
	entra.WorkloadIdentity = true
	federated := signin.NewEntra(entra, "c1", "", signin.ViaProxy, "https://kf.example.com")
	for want, commands := range map[string][]string{
		"https://kf.example.com/dex/callback":          Commands(dex, ""),
		"https://kf.example.com/oauth2/callback":       Commands(federated, "system:serviceaccount:a:b"),
		"az ad app credential reset":                   Commands(dex, ""),
		`"subject":"system:serviceaccount:a:b"`:        Commands(federated, "system:serviceaccount:a:b"),
		"az ad app permission add":                     Commands(dex, ""),
		"--web-redirect-uris https://kf.example.com/d": {CreateCommand(dex)},
	} {
		if all := strings.Join(commands, "\n"); !strings.Contains(all, want) || strings.Contains(all, " s\n") {
			t.Errorf("%s: want %q", all, want)
		}
	}
	if got := Commands(signin.Identity{}, ""); got != nil {
		t.Error(got)
	}
	for _, scope := range registration.Scopes { // what is printed and what is done are the same
		if all := strings.Join(Commands(dex, ""), "\n"); !strings.Contains(all, scope+"=Scope") {
			t.Errorf("%s lacks %s", all, scope)
		}
	}
}

func TestOnlyAPublicIssuerIsFederated(t *testing.T) {
	for issuer, want := range map[string]bool{
		"https://westeurope.oic.prod-aks.azure.com/11111111-2222-3333-4444-555555555555/66666666-7777-8888-9999-000000000000/": true, "https://oidc.example.com": true,
		"https://kubernetes.default.svc.cluster.local": false, "https://kubernetes.default.svc": false, "https://kf-dns-1a2b.hcp.westeurope.azmk8s.io": false,
		"http://oidc.example.com": false, "https://10.0.0.1:6443": false, "https://[fd00::1]": false, "https://localhost": false, "": false, "kubernetes/serviceaccount": false,
	} {
		if public(issuer) != want {
			t.Errorf("%q: want %t", issuer, want)
		}
	}
}
