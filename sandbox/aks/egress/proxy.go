package egress

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"time"
)

// A Dial connects to a host and a port as a pod of the cluster would.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// A Proxy serves HTTP's CONNECT and requests with an absolute URL.
type Proxy struct {
	dial     Dial
	listener net.Listener
	forward  *httputil.ReverseProxy
}

// Listen opens the proxy on a loopback port.
func Listen(dial Dial) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{dial: dial, listener: listener}
	p.forward = &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.Out.Host = r.In.Host },
		Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true, DisableCompression: true},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, err.Error(), http.StatusBadGateway)
		},
	}
	return p, nil
}

// Address is where programs reach the proxy.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Run serves until ctx ends.
func (p *Proxy) Run(ctx context.Context, _ io.Writer) {
	server := &http.Server{Handler: p, ReadHeaderTimeout: time.Minute}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	_ = server.Serve(p.listener)
}

func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		p.forward.ServeHTTP(w, r)
		return
	}
	to, err := p.dial(r.Context(), "tcp", r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer to.Close()
	conn, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(to, buffered)
		to.Close()
	}()
	_, _ = io.Copy(conn, to)
}
