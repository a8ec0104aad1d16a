package portforward

import (
	"context"
	"errors"
	"io"
	"time"

	"k8s.io/streaming/pkg/httpstream"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
)

// A stream is one connection within a tunnel.
type stream struct {
	tunnel        *tunnel
	data, failure httpstream.Stream
}

// pipe carries bytes both ways until either side ends, the tunnel closes, or the context ends.
// Its error is what the pod reports about the connection, such as a closed port.
// When it returns it no longer reads from the client, so that another stream can take over.
func (s *stream) pipe(ctx context.Context, v *client) error {
	defer s.tunnel.release()
	defer s.tunnel.conn.RemoveStreams(s.data, s.failure)
	reported := make(chan string, 1)
	go func() {
		message, _ := bounded.Start(s.failure, bounded.Message)
		reported <- string(message)
	}()
	remoteDone, localDone, localFailed := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(remoteDone)
		_, _ = io.Copy(v, s.data) // the reason of its end does not matter
	}()
	go func() {
		defer close(localDone)
		if err := v.sendTo(s.data); err != nil {
			close(localFailed)
		}
		s.data.Close() // the client may still read
	}()
	select {
	case <-remoteDone:
	case <-localFailed:
	case <-s.tunnel.closed():
	case <-ctx.Done():
	}
	_ = v.conn.SetReadDeadline(time.Unix(1, 0)) // stops sendTo; no effect on a closed connection
	_ = s.data.Reset()                          // unread data would block the other streams of the tunnel
	<-localDone
	select {
	case message := <-reported:
		if message != "" {
			return errors.New(message)
		}
	case <-s.tunnel.closed():
	case <-ctx.Done():
	}
	return nil
}
