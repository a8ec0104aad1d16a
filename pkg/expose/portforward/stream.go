package portforward

import (
	"context"
	"errors"
	"io"
	"time"

	"k8s.io/streaming/pkg/httpstream"
)

// A stream is one connection within a tunnel.
type stream struct {
	tunnel        *tunnel
	data, failure httpstream.Stream
}

// pipe carries bytes both ways until either side ends, the tunnel closes, or the context ends.
// Its error is what the pod's side said about the connection: nothing listens on the port, for one.
// When it returns nobody reads from the visitor any more, so that another stream can take over.
func (s *stream) pipe(ctx context.Context, v *client) error {
	defer s.tunnel.release()
	defer s.tunnel.conn.RemoveStreams(s.data, s.failure)
	said := make(chan string, 1)
	go func() {
		message, _ := io.ReadAll(s.failure)
		said <- string(message)
	}()
	remoteDone, localDone, localFailed := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(remoteDone)
		_, _ = io.Copy(v, s.data) // how it ended does not matter, only that it did
	}()
	go func() {
		defer close(localDone)
		if err := v.sendTo(s.data); err != nil {
			close(localFailed)
		}
		s.data.Close() // the visitor may still read
	}()
	select {
	case <-remoteDone:
	case <-localFailed:
	case <-s.tunnel.closed():
	case <-ctx.Done():
	}
	_ = v.conn.SetReadDeadline(time.Unix(1, 0)) // stops sendTo; a connection that is gone already does not mind
	_ = s.data.Reset()                          // unread data would hold up the tunnel's other streams
	<-localDone
	select {
	case message := <-said:
		if message != "" {
			return errors.New(message)
		}
	case <-s.tunnel.closed():
	case <-ctx.Done():
	}
	return nil
}
