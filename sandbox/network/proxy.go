package network

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// A Proxy connects the API server to the cluster network.
type Proxy struct {
	Directory *Directory
	Backends  Backends
	APIServer string   // host:port
	Kubelet   *Kubelet // serves all nodes
}

// dialPatience is how long connecting to a backend may take.
const dialPatience = 10 * time.Second

// Serve serves CONNECT requests from the listener until ctx ends.
func (p *Proxy) Serve(ctx context.Context, listener net.Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	for {
		conn, err := listener.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("accepting from the API server: %w", err)
		}
		go p.handle(ctx, conn)
	}
}

// handle serves one CONNECT. The API server shows the text of an error to its
// user, and expects no body.
func (p *Proxy) handle(ctx context.Context, client net.Conn) {
	defer client.Close()
	reader := bufio.NewReader(client)
	request, err := http.ReadRequest(reader)
	if err != nil || request.Method != http.MethodConnect {
		_, _ = io.WriteString(client, "HTTP/1.1 405 CONNECT only\r\n\r\n")
		return
	}
	backend, err := p.Dial(ctx, request.RequestURI)
	if err != nil {
		_, _ = fmt.Fprintf(client, "HTTP/1.1 502 %s\r\n\r\n", oneLine(err))
		return
	}
	defer backend.Close()
	if _, err := io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	splice(client, reader, backend)
}

// Dial connects to an address of the cluster network.
func (p *Proxy) Dial(ctx context.Context, address string) (net.Conn, error) {
	target, err := p.Directory.Resolve(address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialPatience)
	defer cancel()
	switch {
	case target.APIServer:
		return new(net.Dialer).DialContext(ctx, "tcp", p.APIServer)
	case target.Kubelet != nil:
		return p.Kubelet.Dial(ctx)
	case p.Backends == nil:
		return nil, errors.New("connection refused")
	case target.Service != nil:
		return p.Backends.Dial(ctx, *target.Service, target.Port)
	default:
		return p.Backends.DialPod(ctx, target.Pod, target.PodPort)
	}
}

func oneLine(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}
