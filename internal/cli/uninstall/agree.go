package uninstall

import (
	"context"
	"fmt"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// agree shows what goes and what stays and asks. Data is only deleted for who names the cluster, which dataOf returns.
func (o *uninstallOptions) agree(ctx context.Context, client *cluster.Client, plan *kubeflow.UninstallPlan) (dataOf string, err error) {
	o.describe(client, plan)
	if plan.DeletesData() {
		return plan.Cluster(), o.confirmData(ctx, plan.Cluster())
	}
	if o.yes {
		return "", nil
	}
	if !o.Screen().Interactive {
		return "", &problem.Error{Usage: true, What: "there is nobody to ask whether to uninstall " + plan.Title(), Next: "Say yes with --yes"}
	}
	yes, err := o.Screen().Confirm(ctx, fmt.Sprintf("Uninstall %s from %s?", plan.Title(), plan.Cluster()))
	if err == nil && !yes {
		err = unchanged()
	}
	return "", err
}

// confirmData wants the name of the context, typed or with --confirm.
func (o *uninstallOptions) confirmData(ctx context.Context, name string) error {
	switch {
	case o.confirm == name:
		return nil
	case o.confirm != "":
		return &problem.Error{Usage: true, What: fmt.Sprintf("--confirm says %q, and this is %s", o.confirm, name), Next: "Nothing was changed. Choose the cluster with --context"}
	case !o.Screen().Interactive:
		return &problem.Error{Usage: true, What: "there is nobody to ask whether to delete users' data", Next: "Nothing was changed. To delete it without a question: --confirm " + name}
	}
	typed, err := o.Screen().Ask(ctx, fmt.Sprintf("To delete this data for good, type %s:", name))
	if err == nil && typed != name {
		err = unchanged()
	}
	return err
}

func unchanged() error {
	return &problem.Error{What: "nothing was changed", Next: "To look first: kubectl kubeflow uninstall --dry-run"}
}
