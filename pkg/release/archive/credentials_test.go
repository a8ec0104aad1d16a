package archive

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

func TestCredentialsInAnAddressStayInTheRequest(t *testing.T) {
	const secret = "zQ7xPlanted9vT2"
	content := packed(t, file("r-1/a", "x"))
	for name, handle := range map[string]http.HandlerFunc{
		"success":   func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content) },
		"not found": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
		"an error":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"no rights": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"a page":    func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<!DOCTYPE html>")) },
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "ftp://u:"+secret+"@h/x?sig="+secret, http.StatusFound)
		},
		"cut off": func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			var signedIn atomic.Bool // the handler runs in a goroutine of the server
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, password, _ := r.BasicAuth()
				if password == secret && r.URL.Query().Get("sig") == secret {
					signedIn.Store(true)
				}
				handle(w, r)
			}))
			defer server.Close()
			var said strings.Builder
			f := &Fetcher{Retry: atOnce, Say: func(line string) { said.WriteString(line + "\n") }}
			address := strings.Replace(server.URL, "://", "://user:"+secret+"@", 1) + "/x.tar.gz?sig=" + secret
			for _, r := range []Request{{URL: address}, {URL: address, Hash: "h1:other="}} {
				_, err := f.Fetch(t.Context(), r)
				fmt.Fprintf(&said, "%v\n%+v\n", err, err)
			}
			if strings.Contains(said.String(), secret) {
				t.Errorf("the credentials are readable in:\n%s", said.String())
			}
			if !signedIn.Load() {
				t.Error("the request was made without the credentials")
			}
		})
	}
}
