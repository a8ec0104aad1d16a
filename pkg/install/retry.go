package install

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

type object = unstructured.Unstructured

// retry repeats a request for as long as it may still succeed and the deadline has not come.
func retry(ctx context.Context, do func() (*object, error)) (*object, error) {
	for attempt := 0; ; attempt++ {
		o, err := do()
		if err == nil || !cluster.Transient(err) {
			return o, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-time.After(pauseAfter(attempt, err)):
		}
	}
}

// backoff is how long to wait before trying again: from a fifth of a second up to five seconds.
func backoff(attempt int) time.Duration {
	return min(200*time.Millisecond<<min(attempt, 10), 5*time.Second)
}
