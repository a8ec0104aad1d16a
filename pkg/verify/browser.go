package verify

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/html"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
)

// A browser keeps cookies and follows redirects, as a person's does.
type browser struct {
	base   string // the gateway
	user   string // who is signed in; "" without authentication
	client *http.Client
}

func newBrowser(base string) *browser {
	jar, _ := cookiejar.New(nil) // it never fails
	b := &browser{base: base}
	b.client = &http.Client{Transport: transport, Jar: insecureJar{jar}, Timeout: 30 * time.Second, CheckRedirect: b.stay}
	return b
}

// stay follows redirects within the gateway, whatever name they use for it; others end at the login page of another host.
func (b *browser) stay(r *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return fmt.Errorf("redirected %d times, last to %s", len(via), r.URL.Path)
	}
	if !b.within(r.URL) {
		return http.ErrUseLastResponse
	}
	return nil
}

// within reports whether an address is the gateway's.
func (b *browser) within(u *url.URL) bool {
	return "http://"+u.Host == b.base || "https://"+u.Host == b.base
}

// insecureJar sends cookies that are marked Secure over the port-forward, which is encrypted although its URL says http.
type insecureJar struct{ http.CookieJar }

func (j insecureJar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	for _, c := range cookies {
		c.Secure = false
	}
	j.CookieJar.SetCookies(u, cookies)
}

// A page is what a browser shows.
type page struct {
	status int
	url    *url.URL
	title  string
	text   string
	form   *form
	moved  string // to where it would have gone, on another host
}

// A form is the first form of a page.
type form struct {
	action, method string
	fields         url.Values
	user, password string // the names of its fields
}

const longestPage = 1 << 20

func (b *browser) get(ctx context.Context, path string) (*page, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.base+path, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "text/html")
	return b.do(r)
}

func (b *browser) do(r *http.Request) (*page, error) {
	response, err := b.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := bounded.All(r.Context(), response.Body, longestPage)
	if err != nil {
		return nil, err
	}
	p := &page{status: response.StatusCode, url: response.Request.URL, text: string(body), moved: response.Header.Get("Location")}
	if root, err := html.Parse(strings.NewReader(p.text)); err == nil {
		p.read(root)
	}
	return p, nil
}

// submit sends the form of a page to the gateway. Whoever wrote the page does not decide who learns a password.
func (b *browser) submit(ctx context.Context, p *page, fields url.Values) (*page, error) {
	target, err := p.url.Parse(p.form.action)
	if err != nil {
		return nil, err
	}
	if !b.within(target) {
		return nil, fmt.Errorf("the form at %s would be sent to another host, %s", p.url.Path, target.Host)
	}
	values := url.Values{}
	for name, value := range p.form.fields {
		values[name] = value
	}
	for name, value := range fields {
		values[name] = value
	}
	var r *http.Request
	if p.form.method == http.MethodPost {
		r, err = http.NewRequestWithContext(ctx, http.MethodPost, target.String(), strings.NewReader(values.Encode()))
	} else {
		target.RawQuery = values.Encode()
		r, err = http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	}
	if err != nil {
		return nil, err
	}
	if p.form.method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return b.do(r)
}

// read finds the title and the first form.
func (p *page) read(n *html.Node) {
	if n.Type == html.ElementNode {
		switch {
		case n.Data == "title" && n.FirstChild != nil && p.title == "":
			p.title = strings.TrimSpace(n.FirstChild.Data)
		case n.Data == "form" && p.form == nil:
			p.form = &form{action: attribute(n, "action"), method: strings.ToUpper(attribute(n, "method")), fields: url.Values{}}
			p.form.read(n)
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		p.read(c)
	}
}

func (f *form) read(n *html.Node) {
	if n.Type == html.ElementNode && n.Data == "input" && attribute(n, "name") != "" {
		switch name := attribute(n, "name"); attribute(n, "type") {
		case "password":
			f.password = name
		case "text", "email", "":
			f.user = name
		case "hidden":
			f.fields.Set(name, attribute(n, "value"))
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		f.read(c)
	}
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
