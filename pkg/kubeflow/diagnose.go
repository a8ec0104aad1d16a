package kubeflow

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/bundle"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// An Input is what a diagnosis reads: a live cluster, rendered manifests or a support bundle. A check cannot tell which.
type Input struct {
	Release   *release.Release // nil: the checks recognise it
	Namespace string           // the one to diagnose, with what its users may read; "" is the whole cluster

	inspect func(context.Context, cluster.View) (*doctor.Inspection, error) // nil where what is installed is not known

	view func() cluster.View // a new one for each diagnosis where what it shows can change
	head func(*doctor.Report)
}

// FromCluster returns a live cluster as input. A cluster that does not answer is one error, and not one for each check.
func FromCluster(ctx context.Context, client *cluster.Client) (*Input, error) {
	first := client.View()
	cluster.Ahead(ctx, first, cluster.Question{Kind: kube.NamespaceKind}) // with the kinds of the server, which every other question needs
	if _, err := first.Version(ctx); err != nil {
		return nil, err
	}
	dashboard.Ahead(ctx, first)
	cluster.Ahead(ctx, first, cluster.Question{Kind: kube.NodeKind, In: cluster.NodeScope})
	installed := InstalledRelease(ctx, first)
	next := func() cluster.View { // the first diagnosis goes on with what was read
		view := first
		if first = nil; view == nil {
			view = client.View()
		}
		return view
	}
	return &Input{Release: installed, inspect: Inspect, view: next, head: func(r *doctor.Report) {
		r.Context, r.Server = client.Context, client.Server()
	}}, nil
}

// FromNamespace returns one namespace of a live cluster as input, for a user with permissions there only.
func FromNamespace(ctx context.Context, client *cluster.Client, namespace string) (*Input, error) {
	view := client.View()
	if _, err := view.Version(ctx); err != nil {
		return nil, err
	}
	_, err := view.Get(ctx, cluster.Ref{APIVersion: "v1", Kind: kube.NamespaceKind.Kind, Name: namespace})
	switch {
	case apierrors.IsNotFound(err):
		return nil, &problem.Error{What: fmt.Sprintf("there is no namespace %q", namespace), Next: "Select another one with -n, or leave -n out to diagnose the whole cluster"}
	case apierrors.IsForbidden(err):
		return nil, &problem.Error{What: fmt.Sprintf("you have no permissions in namespace %q", namespace), Next: "Ask its owner to add you as a contributor (Manage Contributors in the dashboard), or select another namespace with -n"}
	case err != nil:
		return nil, err
	}
	return &Input{Namespace: namespace, view: client.View, head: func(r *doctor.Report) {
		r.Context, r.Server = client.Context, client.Server()
	}}, nil
}

// FromManifests renders a file as input. Where it brings no nodes, it is judged as for nodes of AKS.
func FromManifests(ctx context.Context, in release.Input, o release.RenderOptions, notify Notify) (*Input, error) {
	rendered, err := Render(ctx, in, o, notify)
	if err != nil {
		return nil, err
	}
	objects := rendered.Objects()
	if !slices.ContainsFunc(objects, func(u *unstructured.Unstructured) bool { return u.GetKind() == "Node" }) {
		objects = append(objects, doctor.TypicalNode())
	}
	view := cluster.Objects("rendered manifests", nil, objects...)
	return &Input{Release: rendered.Release, view: func() cluster.View { return view }, head: func(r *doctor.Report) {
		r.Source = redact.URL(in.File) + ", judged as for AKS"
		if r.Release.Name != "" {
			r.Release.From = "fingerprint"
		}
	}}, nil
}

// FromBundle reads a support bundle as input; name is what the report calls it.
func FromBundle(r io.Reader, name string) (*Input, error) {
	saved, err := bundle.Open(r)
	if err != nil {
		return nil, err
	}
	in := &Input{}
	if known, err := release.Find(saved.Release); err == nil && saved.Release != "" {
		in.Release = &known
	}
	view := saved.View()
	in.view = func() cluster.View { return view }
	in.head = func(r *doctor.Report) {
		r.Context, r.Server = saved.Context, saved.Server
		r.Source = fmt.Sprintf("%s, taken %s", name, saved.Taken.UTC().Format(time.RFC3339))
	}
	return in, nil
}

// InstalledRelease returns the release that the record of an installation names; nil where there is none, or it may not be
// read: the checks then recognise it.
func InstalledRelease(ctx context.Context, view cluster.View) *release.Release {
	inventories, err := inventory.List(ctx, view)
	if err != nil || len(inventories) != 1 {
		return nil
	}
	r, err := release.Find(inventories[0].Release)
	if err != nil {
		return nil
	}
	return &r
}

// DiagnoseOptions say what to look for.
type DiagnoseOptions struct {
	doctor.Options
	Checks []*doctor.Check // nil is all
	// Until repeats the diagnosis until nothing of this severity is left; "" looks once.
	Until doctor.Severity
	Wait  time.Duration // how long at most
	Now   func() time.Time
}

// Diagnose runs the checks on an input. The error is that the context ended.
func Diagnose(ctx context.Context, in *Input, o DiagnoseOptions) (*doctor.Report, error) {
	o.Namespace = in.Namespace
	chosen := o.Checks
	if chosen == nil {
		chosen = checks.All()
	}
	o.Checks = checks.In(in.Namespace, chosen)
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Release, o.Inspect = in.Release, in.inspect
	for deadline := o.Now().Add(o.Wait); ; {
		report := doctor.Diagnose(ctx, in.view(), o.Checks, o.Options)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if o.Until == "" || !report.Worst().AtLeast(o.Until) || !o.Now().Before(deadline) {
			in.head(report)
			if in.Namespace != "" {
				report.Omitted = len(checks.In("", checks.All())) - len(o.Checks)
			}
			return report, nil
		}
		if err := kube.Sleep(ctx, min(2*time.Second, deadline.Sub(o.Now()))); err != nil {
			return nil, err
		}
	}
}
