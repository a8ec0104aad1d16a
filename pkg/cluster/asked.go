package cluster

import (
	"context"
	"time"
)

// asked asks a question to which the answer changes nothing, and asks it twice more when the answer broke off or the
// server, which has answered before, was not able to give one.
func asked[T any](ctx context.Context, c *Client, ask func() (T, error)) (T, error) {
	for _, pause := range []time.Duration{200 * time.Millisecond, time.Second} {
		value, err := ask()
		if err == nil || !c.reached.Load() || !c.Transient(err) {
			return value, err
		}
		select {
		case <-ctx.Done():
			return value, err
		case <-time.After(pause):
		}
	}
	return ask()
}
