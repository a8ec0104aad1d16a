package archive

import (
	"fmt"
	"net/http"
	"net/url"

	"golang.org/x/net/http/httpproxy"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
)

// client returns an HTTP client that uses the current values of HTTPS_PROXY and similar variables.
func (f *Fetcher) client() *http.Client {
	f.once.Do(func() {
		if f.own = f.HTTP; f.own != nil {
			return
		}
		proxy := httpproxy.FromEnvironment().ProxyFunc()
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.Proxy = func(r *http.Request) (*url.URL, error) { return proxy(r.URL) }
		f.own = &http.Client{Transport: transport, CheckRedirect: checkRedirect}
	})
	return f.own
}

// checkRedirect follows a few redirects, never from https to another scheme.
func checkRedirect(next *http.Request, before []*http.Request) error {
	switch last := before[len(before)-1].URL; {
	case len(before) >= 10:
		return fmt.Errorf("%w: redirect loop", errRedirect)
	case next.URL.Scheme != "https" && (next.URL.Scheme != "http" || last.Scheme == "https"):
		return fmt.Errorf("%w: %s", errRedirect, redact.URL(next.URL.String()))
	}
	return nil
}
