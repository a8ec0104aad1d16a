package expose

import (
	"context"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// Apply applies the changes of a plan in their order. With dryRun the server only checks them.
func Apply(ctx context.Context, c *cluster.Client, changes []cluster.Change, dryRun bool) error {
	for _, change := range changes {
		if _, err := c.Do(ctx, change, cluster.Options{Manager: Manager, DryRun: dryRun}); err != nil {
			return err
		}
	}
	return nil
}
