package azure

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	azfake "github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A graph answers every request with the same, and counts them.
type graph struct {
	status int
	body   string
	header http.Header
	asked  []*http.Request
}

func (g *graph) Do(r *http.Request) (*http.Response, error) {
	g.asked = append(g.asked, r)
	header := g.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{StatusCode: g.status, Header: header, Request: r, Body: io.NopCloser(strings.NewReader(g.body))}, nil
}

func directory(g *graph) *Directory {
	return &Directory{Tenant: "t-1", Endpoint: "https://graph.microsoft.com", credential: &azfake.TokenCredential{}, transport: g,
		retry: policy.RetryOptions{MaxRetries: 2, RetryDelay: time.Microsecond, MaxRetryDelay: time.Microsecond}}
}

func TestGraphsErrorsSayWhatToDo(t *testing.T) {
	for _, c := range []struct {
		status     int
		code, next string
		tries      int
	}{
		{403, "Authorization_RequestDenied", "Application Developer", 1},
		{403, "Other", "Application.ReadWrite.OwnedBy", 1},
		{401, "InvalidAuthenticationToken", "az login --tenant t-1", 1},
		{429, "TooManyRequests", "wait a few minutes", 3},
		{503, "ServiceUnavailable", "azure.status.microsoft", 3},
		{403, "Directory_QuotaExceeded", "app registrations that are not used", 1},
		{400, "TooManyAppPasswords", "client secret", 1},
		{400, "CredentialTypeNotAllowedAsPerAppPolicy", "--workload-identity", 1},
		{400, "Request_BadRequest", "continues what was begun", 1},
	} {
		g := &graph{status: c.status, body: `{"error":{"code":"` + c.code + `","message":"Insufficient privileges.\nmore"}}`}
		status, err := directory(g).Call(context.Background(), http.MethodPatch, "/applications(uniqueName='x')", "creating the app registration", map[string]any{"displayName": "x"}, nil)
		var p *problem.Error
		if status != c.status || !errors.As(err, &p) || !strings.Contains(p.Next, c.next) || !strings.Contains(p.What, c.code) || strings.Contains(p.What, "more") || Code(err) != c.code || len(g.asked) != c.tries {
			t.Errorf("%d %s: %d after %d requests, %+v", c.status, c.code, status, len(g.asked), p)
		}
	}
}

func TestGraphIsAskedAsTheUser(t *testing.T) {
	g := &graph{status: 201, body: `{"appId":"c"}`}
	var app struct{ AppID string }
	status, err := directory(g).Call(context.Background(), http.MethodPatch, "/applications(uniqueName='x')", "creating", map[string]any{}, &app)
	r := g.asked[0]
	if err != nil || status != 201 || app.AppID != "c" || r.URL.String() != "https://graph.microsoft.com/v1.0/applications(uniqueName='x')" || r.Header.Get("Prefer") != "create-if-missing" || !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
		t.Errorf("%d, %v, %+v, %s %v", status, err, app, r.URL, r.Header)
	}
}

func TestWhoIsNotSignedInIsToldHow(t *testing.T) {
	t.Setenv("AZURE_TOKEN_CREDENTIALS", "")
	d := &Directory{Tenant: "t-1", Endpoint: "https://graph.microsoft.com"}
	t.Setenv("PATH", t.TempDir())
	for _, c := range []struct{ env, why, what, next string }{
		{"", "no credential", "az) was not found", "az login --tenant t-1"},
		{"prod", "ERROR: Please run 'az login'", "not signed in to tenant t-1", "az login --tenant t-1"},
		{"prod", "AADSTS65001: The user or administrator has not consented", "consent", "--scope https://graph.microsoft.com/.default"},
		{"prod", "AADSTS50076: you must use multi-factor authentication", "another factor", "--scope https://graph.microsoft.com/.default"},
	} {
		t.Setenv("AZURE_TOKEN_CREDENTIALS", c.env)
		var p *problem.Error
		if err := d.notSignedIn(errors.New(c.why)); !errors.As(err, &p) || !strings.Contains(p.What, c.what) || !strings.Contains(p.Next, c.next) {
			t.Errorf("%s: %+v", c.why, p)
		}
	}
}
