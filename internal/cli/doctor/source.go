package doctor

import (
	"context"
	"fmt"
	"os"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// input returns what to diagnose.
func (o *doctorOptions) input(ctx context.Context) (*kubeflow.Input, error) {
	switch {
	case o.filename != "":
		return kubeflow.FromManifests(ctx, release.Input{File: o.filename, Stdin: o.In}, o.renderOptions(), o.Notify)
	case o.from != "":
		return o.bundle()
	}
	client, err := o.Connect()
	if err != nil {
		return nil, err
	}
	in, err := kubeflow.FromCluster(ctx, client)
	if err != nil {
		return nil, err
	}
	o.mentionInterrupted(ctx, client)
	return in, nil
}

func (o *doctorOptions) renderOptions() release.RenderOptions {
	return release.RenderOptions{Mirror: o.mirror, SkipVerify: o.skipVerify}
}

// mentionInterrupted says how to go on with a fix that was cut off. Who may not read the records is told nothing.
func (o *doctorOptions) mentionInterrupted(ctx context.Context, client *cluster.Client) {
	runs, err := doctor.Runs(ctx, client)
	if err != nil || len(runs) == 0 || runs[0].Finished || runs[0].Undone {
		return
	}
	o.Screen().Say("The fix %[1]s was interrupted. Go on with: kubectl kubeflow doctor --fix\nor take it back with: kubectl kubeflow doctor --undo=%[1]s", runs[0].Name)
}

// cluster opens the cluster and makes sure that it answers, before a fix or an undo.
func (o *doctorOptions) cluster(ctx context.Context) (*cluster.Client, error) {
	client, err := o.Connect()
	if err != nil {
		return nil, err
	}
	in, err := kubeflow.FromCluster(ctx, client)
	if err != nil {
		return nil, err
	}
	o.settings.Release = in.Release
	return client, nil
}

// bundle reads what --from names.
func (o *doctorOptions) bundle() (*kubeflow.Input, error) {
	file, err := os.Open(o.from)
	if err != nil {
		return nil, &problem.Error{Usage: true, What: "cannot read the bundle: " + err.Error(), Next: "Make one with: kubectl kubeflow bundle -O FILE"}
	}
	defer func() { _ = file.Close() }()
	in, err := kubeflow.FromBundle(file, o.from)
	if err != nil {
		return nil, &problem.Error{Usage: true, What: fmt.Sprintf("%s: %v", o.from, err), Next: "Make one with: kubectl kubeflow bundle -O FILE"}
	}
	return in, nil
}
