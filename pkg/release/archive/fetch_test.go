package archive

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const tagged = "https://github.com/o/r/archive/refs/tags/v1.tar.gz"

// atOnce retries without waiting.
var atOnce = Retry{Attempts: 4, Wait: func(int) time.Duration { return 0 }, Stall: time.Minute}

func hashOf(t *testing.T, content []byte) string {
	t.Helper()
	a, err := Unpack("x", content, DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := a.Hash()
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

func put(t *testing.T, root, name string, content []byte) {
	t.Helper()
	full := filepath.Join(root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestContentWithTheWrongHashIsRejectedUnlessVerificationIsSkipped(t *testing.T) {
	mirror := t.TempDir()
	content := packed(t, file("r-1/a", "changed"))
	put(t, mirror, "github.com/o/r/archive/refs/tags/v1.tar.gz", content)
	request := Request{URL: tagged, Hash: "h1:pinned="}

	_, err := (&Fetcher{Mirror: mirror}).Fetch(t.Context(), request)
	var mismatch *MismatchError
	if !errors.As(err, &mismatch) || mismatch.Want != "h1:pinned=" || mismatch.Got != hashOf(t, content) {
		t.Errorf("error is %v", err)
	}
	got, err := (&Fetcher{Mirror: mirror, SkipVerify: true}).Fetch(t.Context(), request)
	if err != nil || got.Verified || got.Hash != hashOf(t, content) {
		t.Errorf("with SkipVerify: %+v, %v", got, err)
	}
	request.Hash = hashOf(t, content)
	if got, err = (&Fetcher{Mirror: mirror}).Fetch(t.Context(), request); err != nil || !got.Verified {
		t.Errorf("with the right pin: %+v, %v", got, err)
	}
}

func TestAMirrorIsSearchedUnderEverySpelling(t *testing.T) {
	content := packed(t, file("r-1/a", "x"))
	for name, place := range map[string]string{
		"as written":          "github.com/o/r/archive/refs/tags/v1.tar.gz",
		"the short form":      "github.com/o/r/archive/v1.tar.gz",
		"the older name":      "github.com/old/r/archive/refs/tags/v1.tar.gz",
		"the older and short": "github.com/old/r/archive/v1.tar.gz",
	} {
		t.Run(name, func(t *testing.T) {
			mirror := t.TempDir()
			put(t, mirror, place, content)
			request := Request{URL: tagged, Also: []string{"https://github.com/old/r/archive/refs/tags/v1.tar.gz"}}
			if _, err := (&Fetcher{Mirror: mirror}).Fetch(t.Context(), request); err != nil {
				t.Errorf("in a folder: %v", err)
			}
			server := httptest.NewServer(http.FileServer(http.Dir(mirror)))
			defer server.Close()
			if _, err := (&Fetcher{Mirror: server.URL, Retry: atOnce}).Fetch(t.Context(), request); err != nil {
				t.Errorf("over http: %v", err)
			}
		})
	}
}

func TestAURLCannotLeadOutsideTheMirror(t *testing.T) {
	outside := t.TempDir()
	put(t, outside, "secret.tar.gz", packed(t, file("r/a", "x")))
	mirror := filepath.Join(outside, "mirror")
	put(t, mirror, "README", nil)
	for _, url := range []string{"https://github.com/../../secret.tar.gz", "https://../secret.tar.gz"} {
		_, err := (&Fetcher{Mirror: mirror}).Fetch(t.Context(), Request{URL: url})
		var missing *NotFoundError
		if !errors.As(err, &missing) {
			t.Errorf("%s: error is %v", url, err)
		}
	}
}

func TestAMissingMirrorFolderIsReported(t *testing.T) {
	_, err := (&Fetcher{Mirror: filepath.Join(t.TempDir(), "none")}).Fetch(t.Context(), Request{URL: tagged})
	var missing *NotFoundError
	if !errors.As(err, &missing) || !strings.Contains(err.Error(), "is not a folder") {
		t.Errorf("error is %v", err)
	}
}

func TestContentThatIsMissingInAMirrorIsReported(t *testing.T) {
	_, err := (&Fetcher{Mirror: t.TempDir()}).Fetch(t.Context(), Request{URL: tagged})
	var missing *NotFoundError
	if !errors.As(err, &missing) || !strings.Contains(err.Error(), "github.com/o/r/archive/refs/tags/v1.tar.gz") {
		t.Errorf("error is %v", err)
	}
}

// serving handles each request with the next handler, and repeats the last one.
func serving(t *testing.T, handlers ...http.HandlerFunc) (url string, requests *atomic.Int32) {
	t.Helper()
	requests = &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(requests.Add(1))
		handlers[min(n, len(handlers))-1](w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/x.tar.gz", requests
}

func answer(content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content) }
}

func code(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

func TestTransientErrorsAreRetried(t *testing.T) {
	content := packed(t, file("r/a", strings.Repeat("x", 5000)))
	cut := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100000")
		_, _ = w.Write(content[:20])
	}
	url, requests := serving(t, code(503), code(429), cut, answer(content))
	got, err := (&Fetcher{Retry: atOnce}).Fetch(t.Context(), Request{URL: url})
	if err != nil || len(got.Files) != 1 || requests.Load() != 4 {
		t.Errorf("after %d requests: %v", requests.Load(), err)
	}
}

func TestPermanentErrorsAreNotRetried(t *testing.T) {
	for _, status := range []int{403, 404, 410, 400} {
		url, requests := serving(t, code(status))
		if _, err := (&Fetcher{Retry: atOnce}).Fetch(t.Context(), Request{URL: url}); err == nil || requests.Load() != 1 {
			t.Errorf("status %d was requested %d times: %v", status, requests.Load(), err)
		}
	}
}

func TestTheNumberOfAttemptsIsLimited(t *testing.T) {
	url, requests := serving(t, code(500))
	_, err := (&Fetcher{Retry: atOnce}).Fetch(t.Context(), Request{URL: url})
	if err == nil || requests.Load() != 4 || !strings.Contains(err.Error(), "500") {
		t.Errorf("%d requests: %v", requests.Load(), err)
	}
}

func TestAStalledConnectionIsClosed(t *testing.T) {
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	silent := func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}
	url, requests := serving(t, silent, answer(packed(t, file("r/a", "x"))))
	impatient := atOnce
	impatient.Stall, impatient.Attempts = 50*time.Millisecond, 1000 // however slow this machine is
	if _, err := (&Fetcher{Retry: impatient}).Fetch(t.Context(), Request{URL: url}); err != nil || requests.Load() < 2 {
		t.Errorf("%d requests: %v", requests.Load(), err)
	}
}

func TestCtrlCEndsAFetch(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	url, requests := serving(t, func(w http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	_, err := (&Fetcher{Retry: atOnce}).Fetch(ctx, Request{URL: url})
	if !errors.Is(err, context.Canceled) || requests.Load() != 1 {
		t.Errorf("%d requests: %v", requests.Load(), err)
	}
}

func TestAnEndlessDownloadIsRejected(t *testing.T) {
	url, _ := serving(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.Copy(w, io.LimitReader(zeros{}, 5<<20))
	})
	limits := DefaultLimits
	limits.Download = 1 << 20
	_, err := (&Fetcher{Retry: atOnce, Limits: limits}).Fetch(t.Context(), Request{URL: url})
	var bad *BadArchiveError
	if !errors.As(err, &bad) {
		t.Errorf("error is %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestTheProxyVariablesAreUsed(t *testing.T) {
	var through atomic.Value
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		through.Store(r.URL.String())
		_, _ = w.Write(packed(t, file("r/a", "x")))
	}))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("NO_PROXY", "")
	if _, err := (&Fetcher{Retry: atOnce}).Fetch(t.Context(), Request{URL: "http://archives.example/x.tar.gz"}); err != nil {
		t.Fatal(err)
	}
	if through.Load() != "http://archives.example/x.tar.gz" {
		t.Errorf("the proxy saw %v", through.Load())
	}
}

func TestCachedContentNeedsNoNetwork(t *testing.T) {
	content := packed(t, file("r/a", "x"))
	url, requests := serving(t, answer(content), code(500))
	cache := t.TempDir()
	for _, hash := range []string{"", hashOf(t, content), hashOf(t, content)} {
		if _, err := (&Fetcher{Cache: cache, Retry: atOnce}).Fetch(t.Context(), Request{URL: url, Hash: hash}); err != nil {
			t.Fatal(err)
		}
	}
	if requests.Load() != 1 {
		t.Errorf("the server received %d requests", requests.Load())
	}
}

func TestADamagedCopyIsFetchedAgain(t *testing.T) {
	content := packed(t, file("r/a", "x"))
	url, requests := serving(t, answer(content))
	f := &Fetcher{Cache: t.TempDir(), Retry: atOnce}
	request := Request{URL: url, Hash: hashOf(t, content)}
	if _, err := f.Fetch(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	for _, damage := range [][]byte{nil, content[:10], packed(t, file("r/a", "other"))} {
		before := requests.Load()
		put(t, f.Cache, "content/"+digest(request.Hash), damage)
		if _, err := f.Fetch(t.Context(), request); err != nil || requests.Load() != before+1 {
			t.Errorf("%d requests: %v", requests.Load()-before, err)
		}
	}
}

func TestTheCacheDecidesNothing(t *testing.T) {
	first, second, planted := packed(t, file("r/a", "1")), packed(t, file("r/a", "2")), packed(t, file("r/a", "planted"))
	for name, request := range map[string]Request{"no hash is known": {}, "verification is skipped": {Hash: hashOf(t, first)}} {
		url, _ := serving(t, answer(first), answer(second), code(500))
		request.URL = url
		f := &Fetcher{Cache: t.TempDir(), Retry: atOnce, SkipVerify: true}
		for _, want := range []string{"1", "2", ""} {
			for _, name := range []string{digest(hashOf(t, first)), digest(hashOf(t, second))} { // whoever can write the cache writes both of its folders
				put(t, f.Cache, "content/"+name, planted)
				put(t, f.Cache, "content/"+digest(hashOf(t, planted)), planted)
				put(t, f.Cache, "addresses/"+digest(" "+url), []byte(hashOf(t, planted)))
			}
			got, err := f.Fetch(t.Context(), request)
			if want == "" && err == nil || want != "" && (err != nil || string(got.Files["a"]) != want) {
				t.Errorf("%s: want %q, got %+v, %v", name, want, got, err)
			}
		}
	}
}

func TestWrongContentIsNotCached(t *testing.T) {
	url, _ := serving(t, answer(packed(t, file("r/a", "x"))))
	f := &Fetcher{Cache: t.TempDir(), Retry: atOnce}
	for range 2 {
		var mismatch *MismatchError
		if _, err := f.Fetch(t.Context(), Request{URL: url, Hash: "h1:other="}); !errors.As(err, &mismatch) {
			t.Errorf("error is %v", err)
		}
	}
}

func TestLocalArchivesAndFoldersAreRead(t *testing.T) {
	root := t.TempDir()
	put(t, root, "m.tar.gz", packed(t, file("m-1/a/k.yaml", "x")))
	put(t, root, "m/a/k.yaml", []byte("x"))
	for _, name := range []string{
		filepath.Join(root, "m.tar.gz"),
		"file:" + filepath.ToSlash(filepath.Join(root, "m.tar.gz")),
		"file://" + filepath.ToSlash(filepath.Join(root, "m.tar.gz")),
		filepath.Join(root, "m"),
	} {
		got, err := (&Fetcher{Mirror: "/nowhere"}).Fetch(t.Context(), Request{URL: name})
		if err != nil || string(got.Files["a/k.yaml"]) != "x" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if _, err := (&Fetcher{}).Fetch(t.Context(), Request{URL: filepath.Join(root, "none")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error is %v", err)
	}
}

func TestSpellingsOfOneAddressAreTheSame(t *testing.T) {
	for _, pair := range [][2]string{
		{"https://github.com/o/r/archive/v1.2.0.tar.gz", "https://github.com/o/r/archive/refs/tags/v1.2.0.tar.gz"},
		{"https://github.com/o/r/archive/refs/heads/main.tar.gz", "https://github.com/o/r/archive/main.tar.gz"},
	} {
		if !Same(pair[0], pair[1]) || !Same(pair[1], pair[0]) {
			t.Errorf("%s and %s are not the same", pair[0], pair[1])
		}
	}
	if Same("https://github.com/o/r/archive/v1.tar.gz", "https://github.com/o/r/archive/v2.tar.gz") {
		t.Error("two versions are the same")
	}
	if got := Canonical("https://h/x.tgz?archive=tar.gz&a=b"); got != "https://h/x.tgz?a=b" {
		t.Errorf("canonical is %s", got)
	}
}
