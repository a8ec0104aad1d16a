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

// A Switchboard serves HTTP and HTTPS on connections that others accept or make.
type Switchboard struct {
	authority *Authority
	server    *http.Server
	calls     calls
}

type handlerKey struct{}

// NewSwitchboard makes a switchboard. It works until Close.
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

// A Certify returns the certificate to show to a client that speaks TLS. Without one nothing here speaks TLS.
type Certify func() (*tls.Certificate, error)

// As returns the sandbox's own certificate for names.
func (s *Switchboard) As(names ...string) Certify {
	return func() (*tls.Certificate, error) { return s.authority.For(names...) }
}

// Connect returns the client's end of a connection on which handler answers.
func (s *Switchboard) Connect(handler http.Handler, certify Certify) (net.Conn, error) {
	client, server, err := pair()
	if err != nil {
		return nil, err
	}
	s.Answer(server, handler, certify)
	return client, nil
}

// Answer lets handler answer on a connection, and closes it in the end.
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
					return nil, errors.New("nothing here speaks TLS")
				}
				return certify()
			},
		}))
	}()
}

// A call is a connection with the handler that answers it.
type call struct {
	net.Conn
	reader  *bufio.Reader
	handler http.Handler
}

func (c *call) Read(p []byte) (int, error) { return c.reader.Read(p) }
