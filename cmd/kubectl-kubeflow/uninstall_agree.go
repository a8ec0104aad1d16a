package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install"
)

// agree shows what goes and what stays and asks. Data is only deleted for somebody who types which cluster's.
func (o *uninstallOptions) agree(ctx context.Context, client *cluster.Client, plan *install.Removal) error {
	o.describe(client, plan)
	if o.deleteData && !plan.Data.Empty() {
		return o.confirmData(ctx, client)
	}
	if o.yes {
		return nil
	}
	if !o.screen().Interactive {
		return &usageError{What: "there is nobody to ask whether to uninstall " + title(plan), Next: "Say yes with --yes"}
	}
	yes, err := o.screen().Confirm(ctx, fmt.Sprintf("Uninstall %s from %s?", title(plan), cmp.Or(client.Context, client.Server())))
	if err == nil && !yes {
		err = unchanged()
	}
	return err
}

// confirmData wants the name of the context, typed or with --confirm.
func (o *uninstallOptions) confirmData(ctx context.Context, client *cluster.Client) error {
	name := cmp.Or(client.Context, client.Server())
	switch {
	case o.confirm == name:
		return nil
	case o.confirm != "":
		return &usageError{What: fmt.Sprintf("--confirm says %q, and this is %s", o.confirm, name), Next: "Nothing was changed. Choose the cluster with --context"}
	case !o.screen().Interactive:
		return &usageError{What: "there is nobody to ask whether to delete users' data", Next: "Nothing was changed. To delete it without a question: --confirm " + name}
	}
	typed, err := o.screen().Ask(ctx, fmt.Sprintf("To delete this data for good, type %s:", name))
	if err == nil && typed != name {
		err = unchanged()
	}
	return err
}

func unchanged() error {
	return &cluster.Problem{What: "nothing was changed", Next: "To look first: kubectl kubeflow uninstall --dry-run"}
}

func title(plan *install.Removal) string {
	if plan.Release != "" {
		return "Kubeflow " + plan.Release
	}
	return plan.Name
}
