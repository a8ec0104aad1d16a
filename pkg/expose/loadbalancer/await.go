package loadbalancer

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/probe"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// Await waits until a plan's Service has its address and returns the request to probe it with. notify reports why it takes long, once for each reason.
// When the context's deadline passes the error is a *problem.Error with the reason, and context.DeadlineExceeded in it.
func Await(ctx context.Context, c *cluster.Client, t expose.Target, plan Plan, notify func(problem.Error)) (probe.Request, error) {
	ref := plan.Service
	pending, stop := context.WithCancel(ctx)
	defer stop()
	go reportDelays(pending, c, ref, notify)
	var request probe.Request
	err := expose.WatchService(ctx, c, ref, func(s *corev1.Service) bool {
		if s == nil {
			return false
		}
		request = probe.Request{URL: t.ServiceURL(s), Address: dashboard.IPOf(s)}
		return request.URL != "" && !slices.Contains(plan.released, request.Address)
	})
	if err == nil {
		return request, nil
	}
	return probe.Request{}, expose.Unfinished(ctx, err, func() *problem.Error {
		delay := WhyPending(context.WithoutCancel(ctx), c, ref)
		next := "Keep waiting with the same command, or remove it with: kubectl kubeflow expose --remove"
		if delay.Next != "" {
			next = delay.Advice() + "\n" + next
		}
		return &problem.Error{What: fmt.Sprintf("%s has no address yet: %s", ref, delay.What), Next: next}
	})
}

// reportDelays reads the events while an address is missing, with growing pauses.
func reportDelays(ctx context.Context, c *cluster.Client, ref cluster.Ref, notify func(problem.Error)) {
	var last problem.Error
	pause := wait.Backoff{Duration: 2 * time.Second, Factor: 1.5, Steps: 8, Cap: 15 * time.Second}
	for kube.Sleep(ctx, pause.Step()) == nil {
		if delay := WhyPending(ctx, c, ref); delay != last && ctx.Err() == nil {
			last = delay
			notify(delay)
		}
	}
}
