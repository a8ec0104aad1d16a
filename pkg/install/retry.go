package install

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

type object = unstructured.Unstructured

// retry repeats a request for as long as it may still succeed and the deadline has not come.
func retry(ctx context.Context, do func() (*object, error)) (*object, error) {
	var met failures
	for attempt := 0; ; attempt++ {
		o, err := do()
		if err == nil || !cluster.Transient(err) {
			return o, err
		}
		if met.count(err); apierrors.IsInternalError(err) && met.same >= often && time.Since(met.since) > outage {
			return nil, err // the server's last word: a webhook that fails, for one
		}
		if ended := kube.Sleep(ctx, pauseAfter(attempt, err)); ended != nil {
			return nil, fmt.Errorf("%w: %w", ended, err)
		}
	}
}

// backoff is how long to wait before trying again: from a fifth of a second up to five seconds.
func backoff(attempt int) time.Duration {
	return min(200*time.Millisecond<<min(attempt, 10), 5*time.Second)
}
