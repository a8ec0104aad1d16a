package network

import (
	"io"
	"net"
)

// splice copies in both directions until the backend has sent everything, then
// closes both. It reads the client's data from heard.
func splice(client io.WriteCloser, heard io.Reader, backend net.Conn) {
	go func() {
		_, _ = io.Copy(backend, heard)
		closeWrite(backend)
	}()
	_, _ = io.Copy(client, backend)
	_ = client.Close()
	_ = backend.Close()
}

// closeWrite signals the end of data. A connection that cannot be half closed is
// closed completely.
func closeWrite(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
		return
	}
	_ = conn.Close()
}
