package portforward

import (
	"bytes"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// A client is a connection from this computer. It records what it sends until the first byte of an answer:
// if the pod terminates before that, an idempotent request (GET, HEAD) is repeated on the next pod.
type client struct {
	conn      net.Conn
	sent      bytes.Buffer // what it has sent so far
	oversized bool         // more than maxRecorded
	finished  bool         // it has closed its side: most likely it does not wait for an answer
	answered  atomic.Bool
}

// maxRecorded is how many bytes of a client are recorded.
const maxRecorded = 32 << 10

// Write forwards a part of the answer.
func (v *client) Write(p []byte) (int, error) {
	v.answered.Store(true)
	return v.conn.Write(p)
}

// sendTo sends what was recorded of the client, and then what it sends from now on.
func (v *client) sendTo(w io.Writer) error {
	_ = v.conn.SetReadDeadline(time.Time{})
	if _, err := w.Write(v.sent.Bytes()); err != nil {
		return err
	}
	_, err := io.Copy(w, io.TeeReader(v.conn, recorder{v}))
	v.finished = err == nil
	return err
}

// repeatable reports whether the request may be sent once more: nothing was answered, it is recorded completely, and it is idempotent.
func (v *client) repeatable() bool {
	if v.answered.Load() || v.oversized || v.finished {
		return false
	}
	sent := v.sent.Bytes()
	return bytes.HasPrefix(sent, []byte("GET ")) || bytes.HasPrefix(sent, []byte("HEAD "))
}

// recorder records what a client sends.
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
