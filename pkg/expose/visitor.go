package expose

import (
	"bytes"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// A visitor is a connection from this computer. It remembers how it began, until the first byte of an answer:
// when the pod behind it ends before that, a request that only asks (GET, HEAD) is asked again of the next pod.
type visitor struct {
	conn     net.Conn
	began    bytes.Buffer // what it has sent so far
	long     bool         // more than is worth remembering
	left     bool         // it sends no more: most likely nobody waits for an answer
	answered atomic.Bool
}

// remembered is how much of a visitor's beginning is kept.
const remembered = 32 << 10

// Write passes a part of the answer on.
func (v *visitor) Write(p []byte) (int, error) {
	v.answered.Store(true)
	return v.conn.Write(p)
}

// sendTo sends what the visitor has sent already, and then what it sends from now on.
func (v *visitor) sendTo(w io.Writer) error {
	_ = v.conn.SetReadDeadline(time.Time{})
	if _, err := w.Write(v.began.Bytes()); err != nil {
		return err
	}
	_, err := io.Copy(w, io.TeeReader(v.conn, memory{v}))
	v.left = err == nil
	return err
}

// again tells whether the request may be sent once more: nothing was answered, it is remembered whole, and asking twice does no harm.
func (v *visitor) again() bool {
	if v.answered.Load() || v.long || v.left {
		return false
	}
	sent := v.began.Bytes()
	return bytes.HasPrefix(sent, []byte("GET ")) || bytes.HasPrefix(sent, []byte("HEAD "))
}

// memory keeps what a visitor sends.
type memory struct{ *visitor }

func (m memory) Write(p []byte) (int, error) {
	if m.answered.Load() || m.long {
		return len(p), nil
	}
	if m.long = m.began.Len()+len(p) > remembered; !m.long {
		m.began.Write(p)
	}
	return len(p), nil
}
