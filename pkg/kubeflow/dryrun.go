package kubeflow

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// A DryRun says how far a use case that writes goes without writing.
type DryRun string

// The modes, as --dry-run names them.
const (
	DryRunNone   DryRun = "none"   // prepare in order to apply; "" is the same
	DryRunClient DryRun = "client" // show the plan
	DryRunServer DryRun = "server" // ask the server about each object as well
)

// writes reports whether the plan may be applied.
func (d DryRun) writes() bool { return d == "" || d == DryRunNone }

// errDryRun is for who applies a plan that was prepared to be shown: not everything was looked at.
var errDryRun = errors.New("the plan was prepared as a dry run")

// PrepareManifests decides what an install applies to an empty AKS cluster, without asking any cluster: what is there is not
// compared, nothing of it is kept, and nothing is checked. The plan can be shown, not applied.
func PrepareManifests(ctx context.Context, o InstallOptions) (*InstallPlan, error) {
	o.DryRun = DryRunClient
	view := cluster.Objects("no cluster", nil)
	rendered, kfctl, err := o.render(ctx, view)
	if unknown := (*cluster.ErrUnknowable)(nil); errors.As(err, &unknown) {
		return nil, &problem.Error{Usage: true, What: "no release specified, and no cluster is asked which one it supports", Next: "Specify --release; list the releases with: kubectl kubeflow releases", Err: err}
	}
	if err != nil {
		return nil, err
	}
	components, adapted, err := o.adaptForAKS(ctx, view, rendered.Components)
	if err != nil {
		return nil, err
	}
	decided, err := planWithoutCluster(ctx, o.request(rendered, components))
	if err != nil {
		return nil, err
	}
	return &InstallPlan{Plan: decided, Title: o.title(rendered), Adapted: adapted, FromKfctl: kfctl, dryRun: o.DryRun}, nil
}

// adaptForAKS adapts as for AKS, unless the options say not to adapt: there is no cluster that could be something else.
func (o *InstallOptions) adaptForAKS(ctx context.Context, view cluster.View, components []release.RenderedComponent) ([]release.RenderedComponent, []doctor.Adaptation, error) {
	if o.Adapt != adaptNone {
		o.Adapt = adaptAKS
	}
	return o.adapt(ctx, view, components)
}

// planWithoutCluster plans for a cluster that has nothing but Kubernetes' own kinds.
func planWithoutCluster(ctx context.Context, request plan.Request) (*plan.Plan, error) {
	return plan.New(ctx, request, nil, cluster.Objects("no cluster", nil), builtInKinds)
}

// builtInKinds knows Kubernetes' own kinds, as a [plan.Kinds].
func builtInKinds(kind schema.GroupVersionKind) (*meta.RESTMapping, error) {
	if !kube.BuiltIn(kind.GroupKind()) {
		return nil, &meta.NoKindMatchError{GroupKind: kind.GroupKind(), SearchedVersions: []string{kind.Version}}
	}
	resource, _ := meta.UnsafeGuessKindToResource(kind)
	mapping := &meta.RESTMapping{Resource: resource, GroupVersionKind: kind, Scope: meta.RESTScopeNamespace}
	if kube.ClusterScoped(kind.GroupKind()) {
		mapping.Scope = meta.RESTScopeRoot
	}
	return mapping, nil
}
