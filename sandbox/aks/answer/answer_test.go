package answer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"testing"
)

func board(t *testing.T) (*Switchboard, *Authority) {
	t.Helper()
	cert, key, err := NewCA("test")
	if err != nil {
		t.Fatal(err)
	}
	authority, err := NewAuthority(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	s := NewSwitchboard(authority, log.New(io.Discard, "", 0))
	t.Cleanup(func() { s.Close() })
	return s, authority
}

func say(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, text) })
}

func get(t *testing.T, url string, s *Switchboard, roots *x509.CertPool, handler http.Handler, names ...string) (string, error) {
	t.Helper()
	var certify Certify
	if len(names) > 0 {
		certify = s.As(names...)
	}
	conn, err := s.Connect(handler, certify)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{
		DialContext:     func(context.Context, string, string) (net.Conn, error) { return conn, nil },
		TLSClientConfig: &tls.Config{RootCAs: roots},
	}}
	defer client.CloseIdleConnections()
	response, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

func TestEachConnectionHasItsOwnHandlerWithTLSAndWithout(t *testing.T) {
	s, authority := board(t)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.PEM())
	if body, err := get(t, "http://a", s, nil, say("plain")); body != "plain" || err != nil {
		t.Errorf("%q, %v", body, err)
	}
	if body, err := get(t, "https://istiod.istio-system.svc", s, roots, say("secret"), "istiod.istio-system.svc"); body != "secret" || err != nil {
		t.Errorf("%q, %v", body, err)
	}
	if _, err := get(t, "https://other.svc", s, roots, say("secret"), "istiod.istio-system.svc"); err == nil {
		t.Error("a certificate for another name was taken")
	}
}

func TestATCPConnectionIsAnsweredToo(t *testing.T) {
	s, _ := board(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		if conn, err := listener.Accept(); err == nil {
			s.Answer(conn, say("real"), nil)
		}
	}()
	response, err := http.Get("http://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, _ := io.ReadAll(response.Body); string(body) != "real" {
		t.Errorf("%q", body)
	}
}
