package faultproxy

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// A Rule says what happens to some requests.
type Rule struct {
	Verb  string // an HTTP method, or WATCH; empty means all
	Path  string // a part of the path; empty means all
	After int    // so many requests that match go through first
	Times int    // to so many it happens; 0 means to all that come
	Do    Fault
}

// A Fault answers a request instead of the server. To let the server answer it calls pass.
type Fault func(w http.ResponseWriter, r *http.Request, pass http.Handler)

// A Proxy stands in front of one API server.
type Proxy struct {
	Kubeconfig string // a file that leads to the server through the proxy

	server *httptest.Server
	pass   http.Handler
	mu     sync.Mutex
	rules  []*countedRule
	heard  []Request
	down   bool
}

// A Request is one that came.
type Request struct{ Verb, Path string }

type countedRule struct {
	Rule
	matched int
	done    int
}

// Start puts a proxy in front of the API server of a kubeconfig, until the test ends.
func Start(t *testing.T, kubeconfig string) *Proxy {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	transport, err := rest.TransportFor(config)
	if err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	quiet := log.New(io.Discard, "", 0)
	p := &Proxy{pass: &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Header.Del("Authorization") },
		Transport: transport, FlushInterval: -1, ErrorLog: quiet,
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}}
	p.server = httptest.NewUnstartedServer(p)
	p.server.EnableHTTP2, p.server.Config.ErrorLog = true, quiet
	p.server.StartTLS()
	t.Cleanup(func() {
		p.server.CloseClientConnections()
		p.server.Close()
	})
	p.Kubeconfig = p.write(t, "token-of-the-test")
	return p
}

func (p *Proxy) write(t *testing.T, token string) string {
	t.Helper()
	const name = "misbehaving"
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.server.Certificate().Raw})
	config := clientcmdapi.NewConfig()
	config.CurrentContext = name
	config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	config.Clusters[name] = &clientcmdapi.Cluster{Server: p.server.URL, CertificateAuthorityData: certificate}
	config.AuthInfos[name] = &clientcmdapi.AuthInfo{Token: token}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		t.Fatal(err)
	}
	return file
}

// Add makes a rule hold from now on. The first rule that matches a request and has not run out decides about it.
func (p *Proxy) Add(rules ...Rule) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range rules {
		p.rules = append(p.rules, &countedRule{Rule: r})
	}
}

// Clear takes all rules back.
func (p *Proxy) Clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules = nil
}

// Down makes the server go away, or come back. Connections that are open break.
func (p *Proxy) Down(down bool) {
	p.mu.Lock()
	p.down = down
	p.mu.Unlock()
	if down {
		p.server.CloseClientConnections()
	}
}

// Count returns how many requests came with a verb to a path that contains part.
func (p *Proxy) Count(verb, part string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, r := range p.heard {
		if (verb == "" || r.Verb == verb) && strings.Contains(r.Path, part) {
			n++
		}
	}
	return n
}

// Hits returns how often a fault has happened.
func (p *Proxy) Hits() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, r := range p.rules {
		n += r.done
	}
	return n
}

func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	verb := r.Method
	if r.URL.Query().Get("watch") == "true" || r.URL.Query().Get("watch") == "1" {
		verb = "WATCH"
	}
	fault, down := p.decide(Request{verb, r.URL.Path})
	switch {
	case down:
		panic(http.ErrAbortHandler)
	case fault != nil:
		fault(w, r, p.pass)
	default:
		p.pass.ServeHTTP(w, r)
	}
}

func (p *Proxy) decide(request Request) (Fault, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = append(p.heard, request)
	if p.down {
		return nil, true
	}
	for _, r := range p.rules {
		if r.Verb != "" && r.Verb != request.Verb || !strings.Contains(request.Path, r.Path) {
			continue
		}
		if r.matched++; r.matched <= r.After || r.Times > 0 && r.done >= r.Times {
			continue
		}
		r.done++
		return r.Do, false
	}
	return nil, false
}
