package cluster

import (
	"context"
	"errors"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/azure"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A role takes some minutes until the API server honours it. An install before that would fail.
const (
	roleEvery = 5 * time.Second
	roleLimit = 10 * time.Minute
)

// settle waits until the caller may do everything in the new cluster.
func (o *createOptions) settle(ctx context.Context, merged *azure.Merged) error {
	ctx, cancel := context.WithTimeout(ctx, roleLimit)
	defer cancel()
	d := cli.NewDeps(o.IOStreams)
	d.Flags.KubeConfig, d.Flags.Context = &merged.File, &merged.Context
	client, err := d.Connect()
	if err != nil {
		return err
	}
	var last error
	for first := true; ; first = false {
		allowed, err := client.CanEverything(ctx)
		if err == nil && allowed {
			return nil
		}
		if err != nil && ctx.Err() == nil {
			if client.Unsigned(err) { // a person has to sign in: waiting does not help
				return client.Explain(err)
			}
			last = err
		}
		if first {
			o.Screen().Say("Waiting until your role is in force in the cluster")
		}
		if err := kube.Sleep(ctx, roleEvery); err != nil {
			if !errors.Is(err, context.DeadlineExceeded) {
				return err
			}
			return &problem.Error{What: "the cluster is ready, and your role in it is not in force yet", Next: "Run the same command again later: it goes on with the rest", Err: errors.Join(err, last)}
		}
	}
}
