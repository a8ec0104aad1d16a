package portforward

import (
	"bytes"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// A client is a connection from this computer. It remembers how it began, until the first byte of an answer:
// when the pod behind it ends before that, a request that only asks (GET, HEAD) is asked again of the next pod.
type client struct {
	conn      net.Conn
	sent      bytes.Buffer // what it has sent so far
	oversized bool         // more than is worth remembering
	finished  bool         // it sends no more: most likely nobody waits for an answer
	answered  atomic.Bool
}

// maxRecorded is how much of a visitor's beginning is kept.
const maxRecorded = 32 << 10

// Write passes a part of the answer on.
func (v *client) Write(p []byte) (int, error) {
	v.answered.Store(true)
	return v.conn.Write(p)
}

// sendTo sends what the visitor has sent already, and then what it sends from now on.
func (v *client) sendTo(w io.Writer) error {
	_ = v.conn.SetReadDeadline(time.Time{})
	if _, err := w.Write(v.sent.Bytes()); err != nil {
		return err
	}
	_, err := io.Copy(w, io.TeeReader(v.conn, recorder{v}))
	v.finished = err == nil
	return err
}

// repeatable tells whether the request may be sent once more: nothing was answered, it is remembered whole, and asking twice does no harm.
func (v *client) repeatable() bool {
	if v.answered.Load() || v.oversized || v.finished {
		return false
	}
	sent := v.sent.Bytes()
	return bytes.HasPrefix(sent, []byte("GET ")) || bytes.HasPrefix(sent, []byte("HEAD "))
}

// recorder keeps what a visitor sends.
type recorder struct{ *client }

func (m recorder) Write(p []byte) (int, error) {
	if m.answered.Load() || m.oversized {
		return len(p), nil
	}
	if m.oversized = m.sent.Len()+len(p) > maxRecorded; !m.oversized {
		m.sent.Write(p)
	}
	return len(p), nil
}
