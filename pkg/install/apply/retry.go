package apply

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// Retry repeats a request for as long as it may still succeed and the deadline has not come.
func Retry(ctx context.Context, do func() (*unstructured.Unstructured, error)) (*unstructured.Unstructured, error) {
	var met failures
	for attempt := 0; ; attempt++ {
		o, err := do()
		if err == nil || !cluster.Transient(err) {
			return o, err
		}
		if met.count(err); apierrors.IsInternalError(err) && met.repeats >= sameErrorLimit && time.Since(met.since) > outageTolerance {
			return nil, err // permanent, for example a failing webhook
		}
		if ended := kube.Sleep(ctx, retryDelay(attempt, err)); ended != nil {
			return nil, fmt.Errorf("%w: %w", ended, err)
		}
	}
}
