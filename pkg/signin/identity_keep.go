package signin

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// Keep returns what rendered objects become, so that installing them keeps the identity that a record describes, and the record of that: the
// objects of another release may have other names and contents. It is nil where none of the objects is rendered.
func (r *Record) Keep(ctx context.Context, view cluster.View, rendered []*unstructured.Unstructured) ([]Edit, *Record, error) {
	front, err := frontOf(ctx, view)
	if err != nil {
		return nil, nil, err
	}
	identity := r.Identity
	if _, identity.URL, err = r.moved(ctx, view, front); err != nil {
		return nil, nil, err
	}
	objects := map[cluster.Ref]*unstructured.Unstructured{}
	for _, o := range rendered {
		objects[cluster.RefOf(o).Identity()] = o
	}
	plan, err := PlanIdentity(ctx, cluster.Replace(view, objects), front, identity)
	if err != nil {
		return nil, nil, &problem.Error{Err: err, What: "the identity provider that users sign in with cannot be kept: " + err.Error(),
			Next: "Remove it first with --remove of kubectl kubeflow auth, and add it again afterwards"}
	}
	var edits []Edit
	kept := &Record{Identity: identity}
	for _, e := range plan.Edits {
		if objects[cluster.RefOf(e.Before).Identity()] != nil {
			edits = append(edits, e)
			kept.Edits = append(kept.Edits, RecordedEdit{Before: recorded(e.Before), After: recorded(e.After)})
		}
	}
	if len(edits) == 0 {
		return nil, nil, nil
	}
	for _, e := range r.Edits { // of components that are not rendered
		if o, err := cluster.IgnoreNotFound(view.Get(ctx, cluster.RefOf(e.After))); err != nil {
			return nil, nil, err
		} else if o != nil && objects[cluster.RefOf(o).Identity()] == nil {
			kept.Edits = append(kept.Edits, e)
		}
	}
	return edits, kept, nil
}

// Without returns a View of the cluster as it would be without the identity, so that what an install keeps of the user's own does not hold
// what belongs to the identity.
func (r *Record) Without(ctx context.Context, view cluster.View) (cluster.View, error) {
	front, err := frontOf(ctx, view)
	if err != nil {
		return nil, err
	}
	base, _, err := r.base(ctx, view, front)
	var changed *problem.Error
	if errors.As(err, &changed) { // others changed what the identity needs, which is planned anew
		return view, nil
	}
	return cluster.Replace(view, base), err
}

// frontOf returns the gateway before the dashboard; the one that Kubeflow brings, if it is not there.
func frontOf(ctx context.Context, view cluster.View) (Front, error) {
	g, err := dashboard.FindGateway(ctx, view)
	if errors.Is(err, dashboard.ErrNoGateway) {
		return Front{Namespace: dashboard.KubeflowNamespace, Pods: labels.Set{"app": "istio-ingressgateway", "istio": "ingressgateway"}}, nil
	}
	return Front{Namespace: g.Namespace(), Pods: g.Labels()}, err
}
