package archive

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestRedirectsAreLimitedAndStayOnHTTPS(t *testing.T) {
	content := packed(t, file("r/a", "x"))
	to := func(address string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, address, http.StatusFound) }
	}
	url, _ := serving(t, to("/elsewhere.tar.gz"), answer(content))
	if _, err := (&Fetcher{Retry: atOnce}).Fetch(t.Context(), Request{URL: url}); err != nil {
		t.Error(err)
	}
	for name, address := range map[string]string{"a circle": "/x.tar.gz", "a file": "file:///etc/passwd", "another protocol": "ftp://example.org/x"} {
		url, requests := serving(t, to(address))
		_, err := (&Fetcher{Retry: atOnce}).Fetch(t.Context(), Request{URL: url})
		if err == nil || !strings.Contains(err.Error(), "cannot be followed") || requests.Load() > 10 {
			t.Errorf("%s: %d requests: %v", name, requests.Load(), err)
		}
	}
	secure := &http.Request{URL: parsed(t, "https://a/x")}
	if checkRedirect(&http.Request{URL: parsed(t, "http://a/x")}, []*http.Request{secure}) == nil {
		t.Error("a redirect from https to http is followed")
	}
}

func TestAnUntrustedCertificateIsReportedWithoutRetries(t *testing.T) {
	var lines atomic.Int32
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	_, err := (&Fetcher{Retry: atOnce, Say: func(string) { lines.Add(1) }}).Fetch(t.Context(), Request{URL: server.URL + "/x.tar.gz"})
	if err == nil || !strings.Contains(err.Error(), "certificate") || lines.Load() != 1 {
		t.Errorf("%d progress lines: %v", lines.Load(), err)
	}
}

func TestRetryAfterIsReadAsSecondsOrAsADate(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"7": 7 * time.Second, "Fri, 02 Jan 2026 03:04:25 GMT": 20 * time.Second, "soon": 0, "": 0,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
}

func TestTheTotalTimeOfAttemptsIsLimited(t *testing.T) {
	url, _ := serving(t, code(503))
	endless := Retry{Attempts: 1 << 30, Wait: func(int) time.Duration { return time.Millisecond }, Stall: time.Minute, Total: 50 * time.Millisecond}
	_, err := (&Fetcher{Retry: endless}).Fetch(t.Context(), Request{URL: url})
	if err == nil || !strings.Contains(err.Error(), "took longer than 50ms") {
		t.Errorf("error is %v", err)
	}
}

func TestCtrlCEndsTheWaitBetweenAttempts(t *testing.T) {
	url, requests := serving(t, code(503))
	ctx, cancel := context.WithCancel(t.Context())
	patient := Retry{Attempts: 3, Wait: func(int) time.Duration { cancel(); return time.Hour }, Stall: time.Minute}
	if _, err := (&Fetcher{Retry: patient}).Fetch(ctx, Request{URL: url}); err != context.Canceled || requests.Load() != 1 {
		t.Errorf("%d requests: %v", requests.Load(), err)
	}
}

func TestHTTPSUsesItsProxyAndNoProxyBypassesIt(t *testing.T) {
	var through atomic.Value
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		through.Store(r.Method + " " + r.Host)
		w.WriteHeader(http.StatusForbidden)
	}))
	defer proxy.Close()
	t.Setenv("HTTPS_PROXY", proxy.URL)
	t.Setenv("NO_PROXY", "inside.example")
	once := Retry{Attempts: 1, Stall: time.Minute}
	if _, err := (&Fetcher{Retry: once}).Fetch(t.Context(), Request{URL: "https://archives.example/x.tar.gz"}); err == nil || through.Load() != "CONNECT archives.example:443" {
		t.Errorf("the proxy saw %v: %v", through.Load(), err)
	}
	around, err := (&Fetcher{}).client().Transport.(*http.Transport).Proxy(&http.Request{URL: parsed(t, "https://inside.example/x")})
	if around != nil || err != nil {
		t.Errorf("an address in NO_PROXY uses proxy %v: %v", around, err)
	}
}

func TestSeveralFetchesShareACache(t *testing.T) {
	content := packed(t, file("r/a", strings.Repeat("x", 5000)))
	url, _ := serving(t, answer(content))
	cache := t.TempDir()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 5 {
				got, err := (&Fetcher{Retry: atOnce, Cache: cache}).Fetch(t.Context(), Request{URL: url, Hash: hashOf(t, content)})
				if err != nil || !got.Verified {
					t.Errorf("got %v, %v", got, err)
				}
			}
		})
	}
	group.Wait()
	if names, err := os.ReadDir(filepath.Join(cache, "content")); err != nil || len(names) != 1 {
		t.Errorf("the cache holds %v, %v", names, err)
	}
}

func TestACacheThatCannotBeWrittenIsNotAnError(t *testing.T) {
	url, requests := serving(t, answer(packed(t, file("r/a", "x"))))
	blocked := filepath.Join(t.TempDir(), "cache")
	if err := os.WriteFile(blocked, nil, 0o444); err != nil {
		t.Fatal(err)
	}
	for n := range int32(2) {
		if _, err := (&Fetcher{Retry: atOnce, Cache: blocked}).Fetch(t.Context(), Request{URL: url}); err != nil || requests.Load() != n+1 {
			t.Errorf("%d requests: %v", requests.Load(), err)
		}
	}
}

func TestAPageInsteadOfAnArchiveIsReportedAndNotCached(t *testing.T) {
	page := func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "<!DOCTYPE html><html><body>Sign in</body></html>")
	}
	url, _ := serving(t, page, answer(packed(t, file("r/a", "x"))))
	fetcher := &Fetcher{Retry: atOnce, Cache: t.TempDir(), SkipVerify: true}
	if _, err := fetcher.Fetch(t.Context(), Request{URL: url}); err == nil || !strings.Contains(err.Error(), "web page") {
		t.Errorf("error is %v", err)
	}
	if _, err := fetcher.Fetch(t.Context(), Request{URL: url}); err != nil {
		t.Errorf("the second time: %v", err)
	}
}

func parsed(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
