//go:build unix

package identity

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/sandboxtest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
)

// A tenant is the sandbox's stand-in for Entra ID.
type tenant struct {
	Proxy, CAFile, Tenant, OtherTenant, ClientID, ClientSecret, Password, AzToken string
}

func readTenant(t *testing.T) tenant {
	t.Helper()
	var found tenant
	text, err := os.ReadFile(filepath.Join(filepath.Dir(kubeconfig), "identity-provider.json"))
	if err == nil {
		err = json.Unmarshal(text, &found)
	}
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// browser returns a client with cookies that reaches the tenant.
func (e tenant) browser(t *testing.T) *http.Client {
	t.Helper()
	ca, err := os.ReadFile(e.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	proxy, err := url.Parse(e.Proxy)
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Timeout: 20 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		Proxy: func(r *http.Request) (*url.URL, error) {
			if r.URL.Scheme == "http" {
				return nil, nil
			}
			return proxy, nil
		},
	}}
}

// forgedToken is signed by no key of the tenant.
const forgedToken = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2xvZ2luLm1pY3Jvc29mdG9ubGluZS5jb20vMTExMTExMTEtMTExMS00MTExLTgxMTEtMTExMTExMTExMTExL3YyLjAiLCJzdWIiOiJhIiwiZXhwIjo5OTk5OTk5OTk5fQ.AAAA"

// apply makes users sign in with an identity.
func (e tenant) apply(t *testing.T, client *cluster.Client, i *signin.Identity, o Options) *Plan {
	t.Helper()
	client.Forget()
	o.Identity, o.HTTP = i, e.browser(t)
	plan, err := Prepare(t.Context(), client, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := plan.Apply(t.Context(), ApplyOptions{Wait: 3 * time.Minute, Say: func(line string) { t.Log(line) }}); err != nil {
		t.Fatal(err)
	}
	return plan
}

// TestUsersOfEntraIDSignIn lets users of a tenant in, by dex and by oauth2-proxy with and without a secret, and back: the real oauth2-proxy runs
// with what the commands write.
func TestUsersOfEntraIDSignIn(t *testing.T) {
	client := connect(t)
	installSignIn(t, client)
	e, at := readTenant(t), forward(t)
	applyWith := func(i *signin.Identity, o Options) *Plan { t.Helper(); return e.apply(t, client, i, o) }
	apply := func(i *signin.Identity) { applyWith(i, Options{}) }
	with := func(via, secret string) *signin.Identity {
		i := signin.NewEntra(signin.Entra{Tenant: e.Tenant, Cloud: "AzureCloud", WorkloadIdentity: secret == ""}, e.ClientID, secret, via, at)
		return &i
	}
	const known, local = "alice@contoso.example", "user@example.com"
	people := func(when string, in, out []string) {
		t.Helper()
		for _, user := range in {
			if status, page := e.signIn(t, at, user); status == http.StatusUnauthorized || status == http.StatusForbidden || status >= 500 {
				t.Errorf("%s, %s cannot sign in: %d %.200s", when, user, status, page)
			}
		}
		for _, user := range out {
			if status, page := e.signIn(t, at, user); status != http.StatusUnauthorized && status != http.StatusForbidden {
				t.Errorf("%s, %s signs in: %d %.200s", when, user, status, page)
			}
		}
		if status, page := get(t, e.browser(t), at+"/", "Authorization", "Bearer "+forgedToken); status != http.StatusUnauthorized && status != http.StatusForbidden {
			t.Errorf("%s, a forged token: %d %.200s", when, status, page)
		}
	}
	const bob, mallory = "bob@contoso.example", "mallory@fabrikam.example" // without a mail attribute, and of another tenant

	wrong := with(signin.ViaDex, "wrong-secret")
	if _, err := Prepare(t.Context(), client, Options{Identity: wrong, HTTP: e.browser(t)}); err == nil || !strings.Contains(err.Error(), "rejects the client secret") {
		t.Errorf("a wrong secret: %v", err)
	}
	apply(with(signin.ViaDex, e.ClientSecret))
	people("by dex", []string{local, known, bob}, []string{mallory})
	created := func(federated bool) *signin.Identity {
		i := signin.NewEntra(signin.Entra{Tenant: e.Tenant, Cloud: "AzureCloud", WorkloadIdentity: federated}, "", "", signin.ViaProxy, at)
		return &i
	}
	register := Options{Graph: graph{e.browser(t), e.AzToken}, ClusterIssuer: "https://kubernetes.default.svc.cluster.local"}
	first := applyWith(created(false), register)
	people("by oauth2-proxy, registered through Graph", []string{known, bob}, []string{mallory})
	client.Forget()
	again, err := Prepare(t.Context(), client, Options{Identity: created(false), HTTP: e.browser(t), Graph: register.Graph})
	if err != nil || len(again.Changes()) > 0 || !again.Settled() || again.Identity.ClientID != first.Identity.ClientID {
		t.Errorf("registered again: %v, %+v", err, again)
	}
	if _, err := Prepare(t.Context(), client, Options{Identity: created(false), HTTP: e.browser(t), Graph: graph{e.browser(t), "token-of-a-member"}}); err == nil {
		t.Error("whoever may not register applications does")
	}
	if second := applyWith(created(true), register); second.Identity.ClientID != first.Identity.ClientID {
		t.Errorf("%s is registered, and %s", first.Identity.ClientID, second.Identity.ClientID)
	}
	people("without a secret", []string{known}, []string{mallory})
	apply(nil)
	people("removed", []string{local}, nil)
	client.Forget()
	if _, secret, err := signin.ReadApp(t.Context(), client.View()); err != nil || secret != nil {
		t.Errorf("the removal leaves the client secret: %v", err)
	}
}

// A graph calls Microsoft Graph with a token, as a *azure.Directory does.
type graph struct {
	client *http.Client
	token  string
}

func (g graph) Call(ctx context.Context, method, path, doing string, body, into any) (int, error) {
	sent, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	request, err := http.NewRequestWithContext(ctx, method, "https://graph.microsoft.com/v1.0"+path, strings.NewReader(string(sent)))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+g.token)
	request.Header.Set("Prefer", "create-if-missing")
	response, err := g.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if response.StatusCode >= 300 {
		return response.StatusCode, fmt.Errorf("%s: %s", doing, response.Status)
	}
	if into != nil && response.StatusCode != http.StatusNoContent {
		err = json.NewDecoder(response.Body).Decode(into)
	}
	return response.StatusCode, err
}

// forward returns the URL at which the gateway's HTTP port is forwarded.
func forward(t *testing.T) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, sandboxtest.Kubectl("1.35"), "--kubeconfig="+kubeconfig, "port-forward", "--address=127.0.0.1", "-n=istio-system", "service/istio-ingressgateway", ":80")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address, _, _ := strings.Cut(strings.TrimPrefix(line, "Forwarding from "), " ")
	return "http://" + address
}

func get(t *testing.T, browser *http.Client, address string, header ...string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	status, page, _ := do(t, browser, request)
	return status, page
}

func do(t *testing.T, browser *http.Client, request *http.Request) (int, string, *url.URL) {
	t.Helper()
	request.Header.Set("Accept", "text/html")
	response, err := browser.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body), response.Request.URL
}

var connectorLink = regexp.MustCompile(`href="([^"]*/auth/(local|entra)[^"]*)"`)

// signIn goes from oauth2-proxy's page to the form of the user's provider, which dex may ask for, and submits it.
func (e tenant) signIn(t *testing.T, at, user string) (int, string) {
	t.Helper()
	browser, password, connector := e.browser(t), e.Password, "entra"
	if strings.HasSuffix(user, "@example.com") {
		password, connector = "12341234", "local"
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at+"/oauth2/start?rd=%2F", nil)
	if err != nil {
		t.Fatal(err)
	}
	status, page, form := do(t, browser, request)
	for _, link := range connectorLink.FindAllStringSubmatch(page, -1) {
		if link[2] != connector {
			continue
		}
		to, err := form.Parse(strings.ReplaceAll(link[1], "&amp;", "&"))
		if err != nil {
			t.Fatal(err)
		}
		if request, err = http.NewRequestWithContext(t.Context(), http.MethodGet, to.String(), nil); err != nil {
			t.Fatal(err)
		}
		status, page, form = do(t, browser, request)
	}
	if !strings.Contains(page, `name="password"`) {
		t.Fatalf("%s shows no form: %d %.300s", form, status, page)
	}
	request, err = http.NewRequestWithContext(t.Context(), http.MethodPost, form.String(), strings.NewReader(url.Values{"login": {user}, "password": {password}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	status, page, _ = do(t, browser, request)
	return status, page
}
