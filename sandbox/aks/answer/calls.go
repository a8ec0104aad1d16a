package answer

import (
	"net"
	"sync"
)

// calls is the listener for a Switchboard's connections.
type calls struct {
	next   chan net.Conn
	closed chan struct{}
	once   *sync.Once
}

func newCalls() calls {
	return calls{next: make(chan net.Conn), closed: make(chan struct{}), once: &sync.Once{}}
}

func (c calls) put(conn net.Conn) {
	select {
	case c.next <- conn:
	case <-c.closed:
		conn.Close()
	}
}

// Accept, Close and Addr implement net.Listener.
func (c calls) Accept() (net.Conn, error) {
	select {
	case conn := <-c.next:
		return conn, nil
	case <-c.closed:
		return nil, net.ErrClosed
	}
}

func (c calls) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

func (c calls) Addr() net.Addr { return address{} }

type address struct{}

func (address) Network() string { return "sandbox" }
func (address) String() string  { return "sandbox" }
