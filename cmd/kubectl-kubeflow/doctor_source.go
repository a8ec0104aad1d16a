package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/bundle"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// source returns where to look, and what the head of the report says about it.
func (o *doctorOptions) source(ctx context.Context) (look func() cluster.View, head func(*doctor.Report), err error) {
	if o.filename != "" {
		view, err := o.manifests(ctx)
		return func() cluster.View { return view }, func(r *doctor.Report) {
			r.Source = o.filename + ", judged as for AKS"
			if r.Release.Name != "" {
				r.Release.From = "fingerprint"
			}
		}, err
	}
	if o.from != "" {
		return o.bundle()
	}
	client, err := o.cluster(ctx)
	if err != nil {
		return nil, nil, err
	}
	o.mentionInterrupted(ctx, client)
	return client.View, o.head(client), nil
}

// mentionInterrupted says how to go on with a fix that was cut off. Who may not read the records is told nothing.
func (o *doctorOptions) mentionInterrupted(ctx context.Context, client *cluster.Client) {
	runs, err := doctor.Runs(ctx, client)
	if err != nil || len(runs) == 0 || runs[0].Finished || runs[0].Undone {
		return
	}
	o.screen().Say("The fix %[1]s was interrupted. Go on with: kubectl kubeflow doctor --fix\nor take it back with: kubectl kubeflow doctor --undo=%[1]s", runs[0].Name)
}

// cluster opens the cluster and makes sure that it answers, so that a cluster that does not is one sentence and not eight unknowns.
func (o *doctorOptions) cluster(ctx context.Context) (*cluster.Client, error) {
	client, err := o.connect()
	if err != nil {
		return nil, err
	}
	view := client.View()
	if _, err = view.Version(ctx); err != nil {
		return nil, err
	}
	o.settings.Release = installed(ctx, view)
	return client, nil
}

// installed returns the release that the record of an installation names; nil where there is none, or it may not be read: the checks then recognise it.
func installed(ctx context.Context, view cluster.View) *release.Release {
	inventories, err := install.Inventories(ctx, view)
	if err != nil || len(inventories) != 1 {
		return nil
	}
	r, err := release.Find(inventories[0].Release)
	if err != nil {
		return nil
	}
	return &r
}

func (o *doctorOptions) head(client *cluster.Client) func(*doctor.Report) {
	return func(r *doctor.Report) { r.Context, r.Server = client.Context, client.Server() }
}

// manifests renders what -f names. Where it brings no nodes, it is judged as for nodes of AKS.
func (o *doctorOptions) manifests(ctx context.Context) (cluster.View, error) {
	rendered, err := o.render(ctx, release.Input{File: o.filename, Stdin: o.In}, release.RenderOptions{Mirror: o.mirror, SkipVerify: o.skipVerify})
	if err != nil {
		return nil, err
	}
	objects := rendered.Objects()
	if !slices.ContainsFunc(objects, func(u *unstructured.Unstructured) bool { return u.GetKind() == "Node" }) {
		objects = append(objects, doctor.TypicalNode())
	}
	o.settings.Release = rendered.Release
	return cluster.Objects("rendered manifests", nil, objects...), nil
}

// bundle reads what --from names.
func (o *doctorOptions) bundle() (look func() cluster.View, head func(*doctor.Report), err error) {
	file, err := os.Open(o.from)
	if err != nil {
		return nil, nil, &usageError{What: "cannot read the bundle: " + err.Error(), Next: "Make one with: kubectl kubeflow bundle -O FILE"}
	}
	defer func() { _ = file.Close() }()
	saved, err := bundle.Open(file)
	if err != nil {
		return nil, nil, &usageError{What: fmt.Sprintf("%s: %v", o.from, err), Next: "Make one with: kubectl kubeflow bundle -O FILE"}
	}
	if known, err := release.Find(saved.Release); err == nil && saved.Release != "" {
		o.settings.Release = &known
	}
	view := saved.View()
	return func() cluster.View { return view }, func(r *doctor.Report) {
		r.Context, r.Server = saved.Context, saved.Server
		r.Source = fmt.Sprintf("%s, taken %s", o.from, saved.Taken.UTC().Format(time.RFC3339))
	}, nil
}
