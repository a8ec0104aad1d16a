package probe

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestAResponseIsClassifiedByItsContent(t *testing.T) {
	to := func(location string) http.Header { return http.Header{"Location": {location}} }
	for _, c := range []struct {
		about  string
		status int
		header http.Header
		body   string
		what   string
		says   string
	}{
		{"the dashboard", 200, nil, "<html><title>Kubeflow Central Dashboard</title>", Dashboard, `answers 200, "Kubeflow Central Dashboard"`},
		{"another page", 200, nil, "<TITLE lang=en>\n Welcome &amp; hello\n</TITLE>", Other, `answers 200, "Welcome & hello"`},
		{"no page", 200, nil, "", Other, "answers 200"},
		{"a redirect to Dex", 302, to("/dex/auth?state=s3cret"), "", SignInPage, "redirects to the login page at /dex/auth"},
		{"a redirect to oauth2-proxy", 302, to("/oauth2/start?rd=%2F"), "", SignInPage, "redirects to the login page at /oauth2/start"},
		{"a redirect to Azure", 302, to("https://login.microsoftonline.com/t/oauth2/authorize?x=y"), "", SignInPage, "redirects to the login page at https://login.microsoftonline.com/t/oauth2/authorize"},
		{"another redirect", 301, to("https://example.com/"), "", Other, "redirects to HTTPS, at https://example.com/"},
		{"oauth2-proxy's own page", 403, nil, "<title>Sign In</title>", SignInPage, `shows a login page, "Sign In"`},
		{"broken mTLS", 503, nil, "upstream connect error or disconnect/reset before headers", Unhealthy, "the gateway answers 503: upstream connect error or disconnect/reset before headers"},
		{"refused by a policy", 403, nil, "RBAC: access denied", Unhealthy, "the gateway answers 403: RBAC: access denied"},
		{"no route", 404, nil, "", Unhealthy, "the gateway answers 404: it has no route for this page"},
		{"an error page", 502, nil, "<html>…", Unhealthy, "the gateway answers 502: no readable text"},
	} {
		a := classify(c.status, c.header, c.body)
		if a.What != c.what || a.Message != c.says {
			t.Errorf("%s: %s, %q; want %s, %q", c.about, a.What, a.Message, c.what, c.says)
		}
		if strings.Contains(a.To+a.Message, "s3cret") {
			t.Errorf("%s: a redirect's state is shown: %+v", c.about, a)
		}
	}
}

func TestAConnectionFailureIsExplained(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + l.Addr().String() + "/"
	l.Close()
	if a := Do(t.Context(), Request{URL: address}); a.What != NoAnswer || a.Message != "does not answer: connection refused" {
		t.Errorf("%+v", a)
	}
}

func TestProbingRepeatsUntilTheResultIsHealthy(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("<title>Kubeflow Central Dashboard</title>"))
	}))
	defer server.Close()
	if a := Until(t.Context(), Request{URL: server.URL}, time.Minute); a.What != Dashboard || asked.Load() != 3 {
		t.Errorf("after %d requests: %+v", asked.Load(), a)
	}
}

func TestProbingEndsWithItsContext(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		stop()
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer server.Close()
	if a := Until(ctx, Request{URL: server.URL}, time.Hour); a.Healthy() {
		t.Errorf("%+v", a)
	}
}
