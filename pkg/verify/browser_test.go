package verify

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// A page of the gateway may be anybody's: its form is sent to the gateway alone.
func TestAPasswordIsSentToTheGatewayAlone(t *testing.T) {
	var stolen bool
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen = true }))
	defer thief.Close()
	var got []string
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(`<form method=post action="` + r.URL.Query().Get("to") + `"><input name=login><input name=pw type=password></form>`))
	})
	mux.HandleFunc("/dex/auth", func(_ http.ResponseWriter, r *http.Request) { got = append(got, r.FormValue("pw")) })
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, thief.URL, http.StatusTemporaryRedirect)
	})
	gateway := httptest.NewServer(mux)
	defer gateway.Close()
	b := newBrowser(gateway.URL)
	for action, sent := range map[string]bool{
		"/dex/auth": true, gateway.URL + "/dex/auth": true, "/moved": true,
		thief.URL: false, strings.TrimPrefix(thief.URL, "http:"): false, gateway.URL + "@" + strings.TrimPrefix(thief.URL, "http://"): false, "javascript:alert(1)": false, "file:///etc/passwd": false,
	} {
		p, err := b.get(t.Context(), "/?to="+url.QueryEscape(action))
		if err != nil || p.form == nil {
			t.Fatal(p, err)
		}
		if _, err := b.submit(t.Context(), p, url.Values{"pw": {"secret"}}); (err == nil) != sent {
			t.Errorf("a form whose action is %q: %v", action, err)
		}
	}
	if stolen || len(got) != 2 {
		t.Errorf("another host was asked: %v; the gateway got %q", stolen, got)
	}
}

func FuzzPage(f *testing.F) {
	for _, seed := range []string{"<title>a</title><form action=/x><input name=a type=password>", strings.Repeat("<form>", 40), "<title>", "<input name=a><form action='http://%zz'>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		root, err := html.Parse(strings.NewReader(text))
		if err != nil {
			return
		}
		p := &page{url: &url.URL{Scheme: "http", Host: "gateway"}}
		p.read(root)
		b := &browser{base: "http://gateway"}
		if p.form == nil {
			return
		}
		if target, err := p.url.Parse(p.form.action); err == nil && b.within(target) && target.Host != "gateway" {
			t.Errorf("%q leads to %s", text, target)
		}
	})
}
