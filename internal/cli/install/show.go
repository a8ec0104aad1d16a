package install

import (
	"context"
	"fmt"
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
)

// needsNoCluster reports whether the manifests of something named are printed, which depends on no cluster.
func (o *installOptions) needsNoCluster() bool {
	named := o.release != "" || o.file != "" || len(o.dirs) > 0
	return o.dryRun == string(kubeflow.DryRunClient) && !o.diff && o.output != "" && named
}

// showManifests prints what an install applies to an empty AKS cluster.
func (o *installOptions) showManifests(ctx context.Context) error {
	plan, err := kubeflow.PrepareManifests(ctx, o.prepareOptions())
	if err != nil {
		return err
	}
	patched := "not patched"
	if slices.ContainsFunc(plan.Adapted, func(a doctor.Adaptation) bool { return a.Check != "--image" }) {
		patched = "patched as for AKS"
	}
	o.Screen().Say("%s: %d objects, %s. No cluster was asked.", plan.Title, len(plan.Objects), patched)
	return o.showPlan(plan, "an AKS cluster")
}

// preview shows what an install would do, and ends as the install would: with what blocks it.
func (o *installOptions) preview(ctx context.Context, client *cluster.Client, plan *kubeflow.InstallPlan) error {
	var err error
	if o.diff || o.dryRun == string(kubeflow.DryRunServer) {
		o.printAdapted(o.ErrOut, plan)
		err = o.printDryRun(ctx, client, plan)
	} else {
		err = o.showPlan(plan, whereTo(client))
	}
	if plan.Refused != nil { // it names what printDryRun counts
		return client.Explain(o.blockingProblems(plan.Refused))
	}
	return err
}

// showPlan prints what an install would apply.
func (o *installOptions) showPlan(plan *kubeflow.InstallPlan, where string) error {
	o.printed = true
	switch o.output {
	case "name":
		for _, ref := range plan.Refs() {
			fmt.Fprintln(o.Out, ref)
		}
		return nil
	case "json", "yaml":
		list := []any{}
		for _, g := range plan.Objects {
			list = append(list, g.Object.Object)
		}
		return cli.PrintDocument(o.Out, o.output, map[string]any{"apiVersion": "v1", "kind": "List", "items": list})
	}
	o.printPlan(o.Out, plan, where)
	o.printAdapted(o.Out, plan)
	o.Screen().Say("Nothing was changed (dry run).")
	return nil
}
