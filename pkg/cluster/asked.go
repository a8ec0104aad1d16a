package cluster

import (
	"context"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

// asked asks a question to which the answer changes nothing, and asks it twice more when the answer broke off or the
// server, which has answered before, was not able to give one.
func asked[T any](ctx context.Context, c *Client, ask func() (T, error)) (T, error) {
	for _, pause := range []time.Duration{200 * time.Millisecond, time.Second} {
		value, err := ask()
		if err == nil || !c.reached.Load() || !c.Transient(err) {
			return value, err
		}
		if kube.Sleep(ctx, pause) != nil {
			return value, err
		}
	}
	return ask()
}
