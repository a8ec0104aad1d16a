package component

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/fixes"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/lock"
)

// RestartOptions say how workloads are restarted.
type RestartOptions struct {
	Wait     time.Duration // for new pods to be ready
	Progress func(line string)
	Now      func() time.Time
}

// Restart replaces the pods of workloads as kubectl rollout restart does, while no other program writes, and waits for the new ones. It
// returns those that are not ready in time, with the reason.
func Restart(ctx context.Context, client *cluster.Client, workloads []*unstructured.Unstructured, o RestartOptions) (notReady map[cluster.Ref]string, err error) {
	held, free, err := lock.Acquire(ctx, client, "restarting a component", func(e lock.Event) { o.Progress(e.String()) })
	if err != nil {
		return nil, err
	}
	defer free()
	at := o.Now().UTC().Format(time.RFC3339)
	var refs []cluster.Ref
	for _, w := range workloads {
		if _, err := client.Do(held, doctor.RestartAt(w, at), cluster.Options{Manager: doctor.Manager}); err != nil {
			return nil, err
		}
		refs = append(refs, cluster.RefOf(w))
	}
	return fixes.RollOut(held, client, refs, o.Wait, o.Progress)
}
