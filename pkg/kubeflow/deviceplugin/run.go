package deviceplugin

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// Look reads what may offer GPUs.
func Look(ctx context.Context, view cluster.View) (f Found, err error) {
	if f.DaemonSets, err = view.List(ctx, kube.DaemonSetKind, cluster.Scope{}); err != nil {
		return f, err
	}
	if f.Deployments, err = view.List(ctx, kube.DeploymentKind, cluster.Scope{}); err != nil {
		return f, err
	}
	f.Nodes, err = view.List(ctx, kube.NodeKind, cluster.NodeScope)
	return f, err
}

// Prepare decides what to change, and asks the server whether an installed plugin would change at all.
func Prepare(ctx context.Context, client *cluster.Client, wanted *unstructured.Unstructured, remove bool) (Plan, error) {
	found, err := Look(ctx, client.View())
	if err != nil {
		return Plan{}, err
	}
	if remove {
		return Remove(found, wanted), nil
	}
	p := Install(found, wanted)
	if p.Change == nil {
		return p, nil
	}
	after, err := client.Do(ctx, *p.Change, cluster.Options{Manager: Manager, DryRun: true})
	switch before := p.Change.Before; {
	case apierrors.IsConflict(err): // whoever changed it knows why
		return Plan{Why: "it is installed, and another program changed it: it stays as it is",
			Warning: "To have it as this program installs it, remove it and install it again: " + RemoveCommand}, nil
	case err != nil:
		return Plan{}, err
	case before != nil && len(cluster.ChangedFields(before, after)) == 0:
		return Plan{Why: "it is installed"}, nil
	}
	return p, nil
}

// Apply carries a plan out. It takes no Lease: it is one write of one object, which no other command writes.
func Apply(ctx context.Context, client *cluster.Client, p Plan) error {
	if p.Change == nil {
		return nil
	}
	_, err := client.Do(ctx, *p.Change, cluster.Options{Manager: Manager})
	if p.Change.Verb == cluster.Delete && apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
