package doctor

import (
	"context"
	"fmt"
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/fixes"
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
		return o.bundle(ctx)
	}
	client, err := o.Connect()
	if err != nil {
		return nil, err
	}
	if ns := o.namespace(); ns != "" {
		return kubeflow.FromNamespace(ctx, client, ns)
	}
	in, err := kubeflow.FromCluster(ctx, client)
	if err != nil {
		return nil, err
	}
	o.mentionInterrupted(ctx, client)
	return in, nil
}

// namespace returns the namespace of -n, "" to diagnose the whole cluster: also with a namespace of Kubeflow itself, for which most checks
// have to read other namespaces. The namespace of the context does not count.
func (o *doctorOptions) namespace() string {
	ns := o.Flags.Namespace
	if ns == nil || slices.Contains(doctor.Namespaces, *ns) {
		return ""
	}
	return *ns
}

func (o *doctorOptions) renderOptions() release.RenderOptions {
	return release.RenderOptions{Mirror: o.mirror, SkipVerify: o.skipVerify, Unrestricted: cli.Unrestricted(o.restrictor)}
}

// mentionInterrupted tells how to resume or undo an interrupted fix. Without permission to read the records it prints nothing.
func (o *doctorOptions) mentionInterrupted(ctx context.Context, client *cluster.Client) {
	runs, err := fixes.Runs(ctx, client)
	if err != nil || len(runs) == 0 || runs[0].Finished || runs[0].Undone {
		return
	}
	o.Screen().Say("The fix %[1]s was interrupted. Resume with: kubectl kubeflow doctor --fix\nUndo with: kubectl kubeflow doctor --undo=%[1]s", escape.Word(runs[0].Name))
}

// cluster connects to the cluster and checks that it responds, before an undo.
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

// bundle reads the bundle of --from.
func (o *doctorOptions) bundle(ctx context.Context) (*kubeflow.Input, error) {
	file, err := bounded.Open(ctx, o.from)
	if err != nil {
		return nil, &problem.Error{Usage: true, What: "reading the bundle: " + err.Error(), Next: "Create one with: kubectl kubeflow bundle -O FILE"}
	}
	defer func() { _ = file.Close() }()
	in, err := kubeflow.FromBundle(file, o.from)
	if err != nil {
		return nil, &problem.Error{Usage: true, What: fmt.Sprintf("%s: %v", o.from, err), Next: "Create one with: kubectl kubeflow bundle -O FILE"}
	}
	return in, nil
}
