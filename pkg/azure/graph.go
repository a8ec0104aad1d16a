package azure

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A Directory makes calls to Microsoft Graph about one tenant, as the user who is signed in with az.
type Directory struct {
	Tenant   string
	Cloud    string // the name, as in az
	Endpoint string // https://graph.microsoft.com
	Notify   func(text string)

	credential azcore.TokenCredential // of tests
	transport  policy.Transporter     // of tests
	retry      policy.RetryOptions    // of tests

	once   sync.Once
	client *azcore.Client
	err    error
}

// graphRetries are fewer than those of Azure Resource Manager: Graph asks for seconds.
var graphRetries = policy.RetryOptions{MaxRetries: 5, MaxRetryDelay: time.Minute}

func (d *Directory) open() error {
	d.once.Do(func() {
		where := Clouds[0]
		for _, c := range Clouds {
			if c.Name == d.Cloud {
				where = c
			}
		}
		credential := d.credential
		if credential == nil {
			if credential, d.err = newCredential(where.config, d.Tenant); d.err != nil {
				d.err = d.notSignedIn(d.err)
				return
			}
		}
		retry := graphRetries
		if d.retry.MaxRetries != 0 {
			retry = d.retry
		}
		notify := d.Notify
		if notify == nil {
			notify = func(string) {}
		}
		bearer := runtime.NewBearerTokenPolicy(credential, []string{d.Endpoint + "/.default"}, nil)
		d.client, d.err = azcore.NewClient(Program, "v1.0.0", runtime.PipelineOptions{PerRetry: []policy.Policy{bearer, throttled{notify}}}, &policy.ClientOptions{
			Cloud: where.config, Telemetry: policy.TelemetryOptions{ApplicationID: Program}, Retry: retry, Transport: d.transport,
		})
	})
	return d.err
}

// Call makes one request. The path begins with a slash; a body of nil is none. status is that of the answer, 0 without one; any but 2xx is
// also an error, a *problem.Error. doing completes "... failed": "creating the app registration".
func (d *Directory) Call(ctx context.Context, method, path, doing string, body, into any) (status int, err error) {
	if err := d.open(); err != nil {
		return 0, err
	}
	req, err := runtime.NewRequest(ctx, method, d.Endpoint+"/v1.0"+path)
	if err != nil {
		return 0, fmt.Errorf("making a request: %w", err)
	}
	req.Raw().Header.Set("Accept", "application/json")
	if method == http.MethodPatch {
		req.Raw().Header.Set("Prefer", "create-if-missing") // with the alternate keys of Graph, a PATCH is then an upsert
	}
	if body != nil {
		if err := runtime.MarshalAsJSON(req, body); err != nil {
			return 0, fmt.Errorf("encoding a request: %w", err)
		}
	}
	resp, err := d.client.Pipeline().Do(req)
	if err != nil {
		return 0, d.explain(err, doing)
	}
	if !runtime.HasStatusCode(resp, http.StatusOK, http.StatusCreated, http.StatusNoContent) {
		return resp.StatusCode, d.explain(runtime.NewResponseError(resp), doing)
	}
	if into == nil || resp.StatusCode == http.StatusNoContent {
		return resp.StatusCode, nil
	}
	if err := runtime.UnmarshalAsJSON(resp, into); err != nil {
		return resp.StatusCode, &problem.Error{What: doing + ": Microsoft Graph answered with JSON that cannot be read", Next: "Run the same command again", Err: err}
	}
	return resp.StatusCode, nil
}

// explain turns an error of a call into one that a person can act on.
func (d *Directory) explain(err error, doing string) error {
	var response *azcore.ResponseError
	var known *problem.Error
	switch {
	case errors.As(err, &known) || errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return &problem.Error{What: "timed out: " + doing, Next: "Run the same command again, or wait longer with --timeout", Err: err}
	case errors.As(err, &response):
		why := detail(response)
		message := strings.TrimSuffix(text.FirstLine(strings.TrimSpace(why.Message)), ".")
		if len(message) > longest {
			message = strings.ToValidUTF8(message[:longest], "") + "..."
		}
		if message == "" {
			message = "Microsoft Graph refuses it"
		}
		return &problem.Error{What: fmt.Sprintf("%s: %s (%s)", doing, escape.Line(message), escape.Line(why.Code)), Next: d.next(why.Code, response.StatusCode), Err: err}
	case isSignIn(err):
		return d.notSignedIn(err)
	}
	return &problem.Error{What: fmt.Sprintf("%s: %s", doing, text.FirstLine(err.Error())), Next: "Check the connection to " + d.Endpoint + ", and run the same command again", Err: err}
}

// graphAdvices hold, by parts of Graph's codes, what to do. The first that matches counts.
var graphAdvices = []struct{ code, next string }{
	{"Authorization_RequestDenied", "Ask an administrator of the tenant for the role Application Developer (a workload needs the permission Application.ReadWrite.OwnedBy), and run the same command again"},
	{"InvalidAuthenticationToken", "LOGIN"},
	{"Directory_QuotaExceeded", "Delete app registrations that are not used, or ask an administrator of the tenant for the role Application Developer"},
	{"TooManyAppPasswords", "Delete a client secret of the app registration that is not used, or use --workload-identity"},
	{"CredentialTypeNotAllowedAsPerAppPolicy", "A policy of the tenant forbids client secrets: use --workload-identity --via oauth2-proxy"},
	{"CredentialInvalidLifetimeAsPerAppPolicy", "A policy of the tenant forbids client secrets of two years: create one yourself and use --client-secret-file, or use --workload-identity"},
}

func (d *Directory) next(code string, status int) string {
	for _, a := range graphAdvices {
		if strings.Contains(code, a.code) {
			return strings.ReplaceAll(a.next, "LOGIN", d.login())
		}
	}
	switch {
	case status == http.StatusForbidden:
		return graphAdvices[0].next
	case status == http.StatusUnauthorized:
		return d.login()
	case status == http.StatusTooManyRequests:
		return "Microsoft Graph limits the number of requests: wait a few minutes, and run the same command again, which continues what was begun"
	case status >= http.StatusInternalServerError:
		return "Run the same command again, which continues what was begun; for the state of Azure see https://azure.status.microsoft"
	}
	return "Correct the cause, and run the same command again, which continues what was begun"
}

func (d *Directory) login() string {
	return "Sign in with: " + escape.Commandf("az login --tenant %s --allow-no-subscriptions", d.Tenant)
}

// notSignedIn says why there is no token for Graph.
func (d *Directory) notSignedIn(err error) error {
	why := strings.TrimSuffix(text.FirstLine(err.Error()), ".")
	if len(why) > longest {
		why = strings.ToValidUTF8(why[:longest], "") + "..."
	}
	_, missing := exec.LookPath("az")
	switch all := err.Error(); {
	case missing != nil && os.Getenv("AZURE_TOKEN_CREDENTIALS") == "":
		return &problem.Error{What: "the Azure CLI (az) was not found, and there are no other credentials for Azure", Next: "Install it (https://aka.ms/azure-cli) and " + strings.ToLower(d.login()[:1]) + d.login()[1:], Err: err}
	case strings.Contains(all, "AADSTS65001") || strings.Contains(all, "AADSTS50076") || strings.Contains(all, "AADSTS50079") || strings.Contains(all, "interaction_required"):
		return &problem.Error{What: "Entra ID gives no token for Microsoft Graph without your consent or another factor: " + escape.Line(why), // conditional access
			Next: "Sign in for it with: " + escape.Commandf("az login --tenant %s --allow-no-subscriptions --scope %s", d.Tenant, d.Endpoint+"/.default"), Err: err}
	}
	return &problem.Error{What: "not signed in to tenant " + d.Tenant + ": " + escape.Line(why), Next: d.login(), Err: err}
}
