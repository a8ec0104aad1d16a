package network

import (
	"io"
	"net"
)

// splice copies both ways until the backend has said all it has to say, then
// closes both. What the client says is read from heard.
func splice(client io.WriteCloser, heard io.Reader, backend net.Conn) {
	go func() {
		_, _ = io.Copy(backend, heard)
		closeWrite(backend)
	}()
	_, _ = io.Copy(client, backend)
	_ = client.Close()
	_ = backend.Close()
}

// closeWrite says that no more will be sent. A connection that cannot be half
// closed ends as a whole.
func closeWrite(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
		return
	}
	_ = conn.Close()
}
