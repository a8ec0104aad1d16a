package azure

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A Progress receives what is done now, while an operation of Azure is under way. nil drops it.
type Progress func(text string)

func (p Progress) step(format string, args ...any) {
	if p != nil {
		p(fmt.Sprintf(format, args...))
	}
}

// pollEvery is how often an operation is asked for, where Azure does not say. A creation takes 4 to 10 minutes.
const pollEvery = 10 * time.Second

// wait follows a long-running operation to its end.
func wait[T any](ctx context.Context, c *Client, poller *runtime.Poller[T], doing string, progress Progress) error {
	began := time.Now()
	for {
		resp, err := poller.Poll(ctx)
		if err != nil {
			return err
		}
		if poller.Done() {
			_, err := poller.Result(ctx)
			return err
		}
		progress.step("%s: %s", doing, elapsed(began))
		if err := kube.Sleep(ctx, after(resp)); err != nil {
			return err
		}
	}
}

// follow waits for a creation that an earlier run began, by the state of the cluster.
func (c *Client) follow(ctx context.Context, o Options, doing string, progress Progress) error {
	began := time.Now()
	for {
		var resp *http.Response
		existing, err := c.cluster(policy.WithCaptureResponse(ctx, &resp), o.ResourceGroup, o.Name)
		switch {
		case err != nil:
			return err
		case existing == nil || existing.State == deleting:
			return &problem.Error{What: "the cluster is gone: it was deleted meanwhile", Next: "Run the same command again"}
		case existing.State == failed || existing.State == canceled:
			why := existing.failure
			if why == "" {
				why = "its state is " + existing.State
			}
			return &problem.Error{What: fmt.Sprintf("creating cluster %s: %s", escape.Line(o.Name), escape.Line(why)), Next: "Run the same command again to complete it, or delete it with: " + deleteCommand(o.ResourceGroup, o.Name)}
		case existing.State == succeeded:
			return nil
		}
		progress.step("%s, which has begun (4 to 10 minutes are usual): %s, %s", doing, existing.State, elapsed(began))
		if err := kube.Sleep(ctx, after(resp)); err != nil {
			return err
		}
	}
}

func elapsed(since time.Time) string {
	return time.Since(since).Round(time.Second).String()
}

// after returns how long Azure asks to wait before the next request.
func after(resp *http.Response) time.Duration {
	if resp != nil {
		if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds >= 0 {
			return min(time.Duration(seconds)*time.Second+50*time.Millisecond, time.Minute)
		}
	}
	return pollEvery
}
