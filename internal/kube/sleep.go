package kube

import (
	"context"
	"time"
)

// Sleep waits for a while. It returns the context's error as soon as the context ends.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
	return ctx.Err()
}
