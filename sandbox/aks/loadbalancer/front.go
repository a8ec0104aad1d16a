package loadbalancer

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// A front is a Service's address with its listeners. A port has no listener
// while its connections would be refused.
type front struct {
	address netip.Addr
	accept  func(port corev1.ServicePort, conn net.Conn)

	mu        sync.Mutex
	listeners map[int32]net.Listener
	held      map[net.Conn]bool // dropped connections, kept open without a response
}

func newFront(address netip.Addr, accept func(corev1.ServicePort, net.Conn)) *front {
	return &front{address: address, accept: accept, listeners: map[int32]net.Listener{}, held: map[net.Conn]bool{}}
}

// listen listens on exactly these ports. The error names the ports that cannot be
// bound; the others work.
func (f *front) listen(ports []corev1.ServicePort) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	want := map[int32]bool{}
	var errs []error
	for _, port := range ports {
		want[port.Port] = true
		if f.listeners[port.Port] != nil {
			continue
		}
		listener, err := net.Listen("tcp", net.JoinHostPort(f.address.String(), strconv.Itoa(int(port.Port))))
		if err != nil {
			errs = append(errs, fmt.Errorf("port %d: %w", port.Port, err))
			continue
		}
		f.listeners[port.Port] = listener
		go f.serve(listener, port)
	}
	for port, listener := range f.listeners {
		if !want[port] {
			listener.Close()
			delete(f.listeners, port)
		}
	}
	return errors.Join(errs...)
}

func (f *front) serve(listener net.Listener, port corev1.ServicePort) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go f.accept(port, conn)
	}
}

// hold keeps a connection open without a response, as if its packets were
// dropped, until the client gives up or the front closes.
func (f *front) hold(conn net.Conn) {
	f.mu.Lock()
	f.held[conn] = true
	f.mu.Unlock()
	conn.SetReadDeadline(time.Time{})
	buffer := make([]byte, 512)
	for {
		if _, err := conn.Read(buffer); err != nil {
			break
		}
	}
	conn.Close()
	f.mu.Lock()
	delete(f.held, conn)
	f.mu.Unlock()
}

func (f *front) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for port, listener := range f.listeners {
		listener.Close()
		delete(f.listeners, port)
	}
	for conn := range f.held {
		conn.Close()
	}
}
