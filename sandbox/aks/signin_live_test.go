package aks_test

import (
	"bufio"
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
	"regexp"
	"strings"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/build"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/cluster"
)

// TestSignIn signs users in through the real oauth2-proxy, with the configuration of a release.
func TestSignIn(t *testing.T) {
	c, err := cluster.Start(t.Context(), cluster.Options{
		Name: fmt.Sprintf("signin-%d", os.Getpid()), Kubernetes: build.Default, Nodes: 1, Scenario: "healthy-26.03", IdentityProvider: true, Log: os.Stderr,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	l := live{c, build.Default}
	manifest, err := os.ReadFile("testdata/signin.yaml")
	if err != nil {
		t.Fatal(err)
	}
	l.eventually(t, func() (string, bool) { // the kind of RequestAuthentication is not served at once
		out, err := l.kubectl(t, string(manifest), "apply", "--server-side", "--force-conflicts", "-f", "-")
		return out, err == nil
	})
	l.restarted(t)
	at := l.forward(t)
	signedIn := newPerson(t, at)

	t.Run("nobody sees the dashboard without signing in", func(t *testing.T) {
		if status, page := newPerson(t, at).get(t, "/"); status != http.StatusForbidden || !strings.Contains(page, `action="/oauth2/start"`) {
			t.Errorf("%d %s", status, page)
		}
	})
	t.Run("the default user signs in", func(t *testing.T) {
		if status, page := signedIn.signIn(t, "user@example.com", "12341234"); status != http.StatusOK || !strings.Contains(page, "Kubeflow Central Dashboard") {
			t.Errorf("%d %s", status, page)
		}
	})
	t.Run("a wrong password does not", func(t *testing.T) {
		other := newPerson(t, at)
		if status, page := other.signIn(t, "user@example.com", "guessed"); status != http.StatusUnauthorized || !strings.Contains(page, "Invalid Email Address and password.") {
			t.Errorf("%d %s", status, page)
		}
		if status, _ := other.get(t, "/"); status != http.StatusForbidden {
			t.Errorf("the dashboard answers %d", status)
		}
	})
	t.Run("a forged token is rejected", func(t *testing.T) {
		const forged = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwOi8vZGV4LmF1dGguc3ZjLmNsdXN0ZXIubG9jYWw6NTU1Ni9kZXgiLCJzdWIiOiJhIiwiZXhwIjo5OTk5OTk5OTk5fQ.AAAA"
		status, page := newPerson(t, at).get(t, "/", "Authorization", "Bearer "+forged)
		if status != http.StatusUnauthorized || page != "Jwt verification fails" {
			t.Errorf("%d %s", status, page)
		}
	})
	t.Run("a session that expired is sent to sign in again", func(t *testing.T) {
		config := l.run(t, "get", "configmap", "oauth2-proxy", "-n=oauth2-proxy", "-o=yaml")
		l.apply(t, strings.ReplaceAll(config, `cookie_expire = "24h"`, `cookie_expire = "1s"`))
		l.restarted(t)
		if status, page := signedIn.get(t, "/"); status != http.StatusForbidden || !strings.Contains(page, "/oauth2/start") {
			t.Errorf("%d %s", status, page)
		}
	})
	t.Run("a user of Entra ID signs in, and no application needs a secret", func(t *testing.T) { l.entra(t, at) })
	t.Run("a configuration that oauth2-proxy refuses crashes its pod", func(t *testing.T) {
		l.run(t, "patch", "secret", "oauth2-proxy", "-n=oauth2-proxy", "--type=merge", `-p={"stringData":{"cookie-secret":"short"}}`)
		l.run(t, "delete", "pods", "--all", "-n=oauth2-proxy", "--wait=false")
		l.until(t, func(out string) bool { return strings.Contains(out, "cookie_secret must be 16, 24, or 32 bytes") }, "get", "pods", "-n=oauth2-proxy",
			"-o=jsonpath={.items[*].status.containerStatuses[0].lastState.terminated.message}")
	})
}

// entra lets oauth2-proxy sign users of Entra ID in, by the token of its ServiceAccount.
func (l live) entra(t *testing.T, at string) {
	var found aks.IdentityProvider
	text, err := os.ReadFile(l.Place.Identity)
	if err == nil {
		err = json.Unmarshal(text, &found)
	}
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := os.ReadFile("testdata/entra.yaml")
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.NewReplacer("CLIENT", found.ClientID, "TENANT", found.Tenant, "GATEWAY", at).Replace(string(manifest))
	if out, err := l.kubectl(t, changed, "apply", "--server-side", "--force-conflicts", "--field-manager=entra", "-f", "-"); err != nil {
		t.Fatal(out)
	}
	l.restarted(t)
	alice := newPerson(t, at)
	alice.knows(t, found)
	if status, page := alice.signIn(t, "alice@contoso.example", found.Password); status != http.StatusOK || !strings.Contains(page, "Kubeflow Central Dashboard") {
		t.Errorf("alice: %d %s", status, page)
	}
	mallory := newPerson(t, at)
	mallory.knows(t, found)
	if status, page := mallory.signIn(t, "mallory@fabrikam.example", found.Password); status != http.StatusUnauthorized || !strings.Contains(page, "AADSTS50020") {
		t.Errorf("mallory: %d %s", status, page)
	}
}

// knows makes a browser reach the identity provider.
func (p person) knows(t *testing.T, found aks.IdentityProvider) {
	ca, err := os.ReadFile(found.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	proxy, err := url.Parse(found.Proxy)
	if err != nil {
		t.Fatal(err)
	}
	p.client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, Proxy: func(r *http.Request) (*url.URL, error) {
		if r.URL.Scheme == "http" {
			return nil, nil
		}
		return proxy, nil
	}}
}

func (l live) restarted(t *testing.T) {
	t.Helper()
	l.run(t, "delete", "pods", "--all", "-n=oauth2-proxy")
	for _, of := range []string{"deployment/oauth2-proxy -n=oauth2-proxy", "deployment/dex -n=auth"} {
		l.run(t, append([]string{"rollout", "status", "--timeout=60s"}, strings.Fields(of)...)...)
	}
}

// forward returns the URL at which the gateway's HTTP port is forwarded.
func (l live) forward(t *testing.T) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), l.Kubectl, "--kubeconfig="+l.Kubeconfig, "port-forward", "--address=127.0.0.1", "-n=istio-system", "service/istio-ingressgateway", ":80")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address, _, _ := strings.Cut(strings.TrimPrefix(line, "Forwarding from "), " ")
	return "http://" + address
}

// A person has a browser.
type person struct {
	client *http.Client
	at     string
}

func newPerson(t *testing.T, at string) person {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return person{&http.Client{Jar: jar}, at}
}

func (p person) get(t *testing.T, path string, header ...string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.at+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "text/html")
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	status, page, _ := p.do(t, request)
	return status, page
}

func (p person) do(t *testing.T, request *http.Request) (int, string, *url.URL) {
	t.Helper()
	response, err := p.client.Do(request)
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

// signIn goes on from oauth2-proxy's page to dex's form, and submits it.
func (p person) signIn(t *testing.T, user, password string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.at+"/oauth2/start?rd=%2F", nil)
	if err != nil {
		t.Fatal(err)
	}
	status, page, form := p.do(t, request)
	if !regexp.MustCompile(`name="password"`).MatchString(page) {
		t.Fatalf("%s shows no form: %d %s", form, status, page)
	}
	request, err = http.NewRequestWithContext(t.Context(), http.MethodPost, form.String(), strings.NewReader(url.Values{"login": {user}, "password": {password}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	status, page, _ = p.do(t, request)
	return status, page
}
