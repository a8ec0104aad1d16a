package answer

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"log"
	"net"
	"net/http"
)

// A Switchboard serves HTTP and HTTPS on connections that other packages accept or open.
type Switchboard struct {
	authority *Authority
	server    *http.Server
	calls     calls
}

type handlerKey struct{}

// NewSwitchboard creates a switchboard. It serves until Close.
func NewSwitchboard(authority *Authority, errorLog *log.Logger) *Switchboard {
	s := &Switchboard{authority: authority, calls: newCalls()}
	s.server = &http.Server{
		ErrorLog: errorLog,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Context().Value(handlerKey{}).(http.Handler).ServeHTTP(w, r)
		}),
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			if secure, ok := conn.(*tls.Conn); ok {
				conn = secure.NetConn()
			}
			return context.WithValue(ctx, handlerKey{}, conn.(*call).handler)
		},
	}
	go s.server.Serve(s.calls)
	return s
}

// Close ends all connections.
func (s *Switchboard) Close() error { return s.server.Close() }

// A Certify returns the certificate for a TLS client. Without it, TLS is rejected.
type Certify func() (*tls.Certificate, error)

// As returns a Certify with the sandbox's own certificate for these names.
func (s *Switchboard) As(names ...string) Certify {
	return func() (*tls.Certificate, error) { return s.authority.For(names...) }
}

// Connect returns the client's end of a connection that handler serves.
func (s *Switchboard) Connect(handler http.Handler, certify Certify) (net.Conn, error) {
	client, server, err := pair()
	if err != nil {
		return nil, err
	}
	s.Answer(server, handler, certify)
	return client, nil
}

// Answer serves a connection with handler, and closes it at the end.
func (s *Switchboard) Answer(conn net.Conn, handler http.Handler, certify Certify) {
	go func() {
		c := &call{Conn: conn, reader: bufio.NewReader(conn), handler: handler}
		first, err := c.reader.Peek(1)
		if err != nil {
			conn.Close()
			return
		}
		const handshake = 0x16
		if first[0] != handshake {
			s.calls.put(c)
			return
		}
		s.calls.put(tls.Server(c, &tls.Config{
			MinVersion: tls.VersionTLS12,
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
				if certify == nil {
					return nil, errors.New("TLS is not served here")
				}
				return certify()
			},
		}))
	}()
}

// A call is a connection with its handler.
type call struct {
	net.Conn
	reader  *bufio.Reader
	handler http.Handler
}

func (c *call) Read(p []byte) (int, error) { return c.reader.Read(p) }
