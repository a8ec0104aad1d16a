package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
)

// The classes of responses.
const (
	Dashboard  = "dashboard" // Kubeflow's own page
	SignInPage = "sign-in"   // a login page, or a redirect to one
	Unhealthy  = "unwell"    // the gateway answers with an error
	Other      = "other"     // an unknown page
	NoAnswer   = "nothing"   // no answer
)

// A Result is the outcome of a request.
type Result struct {
	What    string `json:"what"` // dashboard, sign-in, unwell, other or nothing
	Status  int    `json:"status,omitempty"`
	Title   string `json:"title,omitempty"`    // the page's
	To      string `json:"location,omitempty"` // the target of a redirect, without its query
	Message string `json:"says"`               // the result as a phrase

	Certificate *Certificate `json:"certificate,omitempty"` // nil over plain HTTP
}

// Healthy reports whether a user who opens the URL gets to the dashboard, or to its login page.
func (a Result) Healthy() bool { return a.What == Dashboard || a.What == SignInPage }

// A Request is a page to request.
type Request struct {
	URL     string
	Address string         // the IP to connect to, for a name that does not resolve yet; "" resolves it
	Roots   *x509.CertPool // a private CA to accept besides the public ones; may be nil
	Within  bool           // follow redirects to the same host
}

const mostRedirects = 5

// Do requests a page once, as a browser would, and classifies the response. It follows no redirect, but those
// [Request.Within] the host if that is asked for.
func Do(ctx context.Context, r Request) Result {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL, nil)
	if err != nil {
		return Result{What: NoAnswer, Message: err.Error()}
	}
	request.Header.Set("Accept", "text/html")
	request.Header.Set("User-Agent", "Mozilla/5.0 (compatible; kubectl-kubeflow)") // oauth2-proxy redirects browsers, and refuses other clients
	var shown *Certificate
	response, err := r.client(request, &shown).Do(request)
	if err != nil {
		return Result{What: NoAnswer, Message: failure(err), Certificate: shown}
	}
	defer response.Body.Close()
	body, _ := bounded.Start(response.Body, bounded.Message) // half a page still has its title
	answer := classify(response.StatusCode, response.Header, string(body))
	answer.Certificate = shown
	return answer
}

// client returns a client with its own connection, which stores the certificate of the server.
func (r Request) client(request *http.Request, shown **Certificate) *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, DialContext: dialer.DialContext,
		TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: 10 * time.Second,
		TLSClientConfig: &tls.Config{
			InsecureSkipVerify: true, //nolint:gosec // only probes, and sends no secret; the certificate is verified below
			VerifyConnection: func(state tls.ConnectionState) error {
				*shown = verify(state, request.URL.Hostname(), r.Roots)
				return nil
			},
		},
	}
	if proxy, err := http.ProxyFromEnvironment(request); r.Address != "" && proxy == nil && err == nil {
		transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			return dialer.DialContext(ctx, network, net.JoinHostPort(r.Address, port))
		}
	}
	return &http.Client{
		Timeout: 10 * time.Second, Transport: transport,
		CheckRedirect: func(next *http.Request, before []*http.Request) error {
			if r.Within && next.URL.Host == before[0].URL.Host && len(before) < mostRedirects {
				return nil
			}
			return http.ErrUseLastResponse
		},
	}
}

// grace is how long an unhealthy gateway may take to recover.
const grace = 15 * time.Second

// Until repeats a request until the result is healthy, there was no answer for as long as patience, another result for as long
// as grace, or the context ends. It returns the last result. A load balancer needs a moment after it got its address.
func Until(ctx context.Context, r Request, patience time.Duration) Result {
	began := time.Now()
	for pause := 250 * time.Millisecond; ; pause = min(2*pause, 4*time.Second) {
		answer := Do(ctx, r)
		if answer.Status != 0 {
			patience = min(patience, grace)
		}
		if answer.Healthy() || time.Since(began) >= patience {
			return answer
		}
		if kube.Sleep(ctx, pause) != nil {
			return answer
		}
	}
}

var title = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)

// classify returns the class of a response. It is pure.
func classify(status int, header http.Header, body string) Result {
	a := Result{Status: status, What: Other, To: withoutQuery(header.Get("Location"))}
	if match := title.FindStringSubmatch(body); match != nil {
		a.Title = strings.Join(strings.Fields(html.UnescapeString(match[1])), " ")
	}
	signIn := strings.Contains(strings.ToLower(a.Title), "sign in") || strings.Contains(strings.ToLower(a.Title), "log in")
	switch {
	case status >= 300 && status < 400 && isSignIn(a.To):
		a.What, a.Message = SignInPage, "redirects to the login page at "+a.To
	case status >= 300 && status < 400 && strings.HasPrefix(a.To, "https://"):
		a.Message = "redirects to HTTPS, at " + a.To
	case status >= 300 && status < 400:
		a.Message = fmt.Sprintf("answers %d and redirects to %s", status, a.To)
	case signIn:
		a.What, a.Message = SignInPage, fmt.Sprintf("shows a login page, %q", a.Title)
	case status == http.StatusOK && strings.Contains(a.Title, "Kubeflow"):
		a.What, a.Message = Dashboard, fmt.Sprintf("answers 200, %q", a.Title)
	case status >= 500:
		a.What, a.Message = Unhealthy, fmt.Sprintf("the gateway answers %d: %s", status, readable(body))
	case status == http.StatusNotFound:
		a.What, a.Message = Unhealthy, "the gateway answers 404: it has no route for this page"
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		a.What, a.Message = Unhealthy, fmt.Sprintf("the gateway answers %d: %s", status, readable(body))
	case a.Title != "":
		a.Message = fmt.Sprintf("answers %d, %q", status, a.Title)
	default:
		a.Message = fmt.Sprintf("answers %d", status)
	}
	return a
}

// isSignIn reports whether a redirect leads to a login page: dex, oauth2-proxy, authservice, Azure.
func isSignIn(location string) bool {
	for _, part := range []string{"/dex/", "/oauth2/", "/authservice/", "login.microsoftonline.com", "/login", "/oauth/"} {
		if strings.Contains(location, part) {
			return true
		}
	}
	return false
}

// withoutQuery removes the query, which may contain a state or a nonce.
func withoutQuery(location string) string {
	u, err := url.Parse(location)
	if err != nil {
		return ""
	}
	u.RawQuery, u.Fragment, u.User = "", "", nil
	return u.String()
}

// readable returns the first line of a page, if it is text.
func readable(body string) string {
	line := text.FirstLine(body)
	if line == "" || strings.HasPrefix(line, "<") {
		return "no readable text"
	}
	return line
}

// failure describes why a request got no answer.
func failure(err error) string {
	var timeout net.Error
	var name *net.DNSError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "does not answer: connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF):
		return "does not answer: the connection was closed"
	case errors.As(err, &name):
		return "does not answer: the name " + name.Name + " does not resolve"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "does not answer: timed out"
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return "does not answer: " + err.Error()
}
