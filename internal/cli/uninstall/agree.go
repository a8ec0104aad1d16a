package uninstall

import (
	"context"
	"fmt"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// confirm shows what is deleted and what is kept, and asks for confirmation. User data is deleted only if the user names the
// cluster, which deleteDataOf returns.
func (o *uninstallOptions) confirm(ctx context.Context, client *cluster.Client, plan *kubeflow.UninstallPlan) (deleteDataOf string, err error) {
	o.describe(client, plan)
	if plan.DeletesData() {
		return plan.Cluster(), o.confirmData(ctx, plan.Cluster())
	}
	return "", o.Agree(ctx, o.yes, fmt.Sprintf("Uninstall %s from %s?", plan.Title(), plan.Cluster()), "Confirm with --yes, or preview with --dry-run")
}

// confirmData requires the name of the context, typed or given with --confirm.
func (o *uninstallOptions) confirmData(ctx context.Context, name string) error {
	switch {
	case o.confirmed == name:
		return nil
	case o.confirmed != "":
		return &problem.Error{Usage: true, What: fmt.Sprintf("--confirm is %q, but the context is %s", o.confirmed, name), Next: "Nothing was changed. Select the cluster with --context"}
	case !o.Screen().Interactive:
		return &problem.Error{Usage: true, What: "confirmation required to delete user data: this is not a terminal", Next: "Nothing was changed. To delete the data, confirm with --confirm " + name}
	}
	typed, err := o.Screen().Ask(ctx, fmt.Sprintf("To permanently delete this data, type %s:", name))
	if err == nil && typed != name {
		err = cli.ErrCancelled
	}
	return err
}
