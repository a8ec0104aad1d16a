package install

import (
	"cmp"
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// hold takes the cluster for a plan that writes something, and makes sure that the plan is still true: it was made, and
// perhaps agreed to, while others were free to work.
func (p *Plan) hold(ctx context.Context, client *cluster.Client) (context.Context, func(), error) {
	if p.Writes() == 0 && p.recorded() {
		return ctx, func() {}, nil
	}
	doing := "installing " + p.subject()
	held, release, err := holdIn(ctx, client, leaseHome, doing)
	if apierrors.IsForbidden(err) && p.home != leaseHome { // somebody who has a namespace, and not the cluster
		held, release, err = holdIn(ctx, client, p.home, doing)
	}
	if err != nil {
		return nil, nil, err
	}
	if err := p.stillTrue(held, client); err != nil {
		release()
		return nil, nil, err
	}
	return held, release, nil
}

func (p *Plan) subject() string {
	if p.Release != "" {
		return "Kubeflow " + p.Release
	}
	return cmp.Or(p.Name, "manifests")
}

// stillTrue looks whether the record that the plan was made from is still the one in the cluster.
func (p *Plan) stillTrue(ctx context.Context, client *cluster.Client) error {
	all, err := Inventories(ctx, client.View())
	if err != nil {
		return err
	}
	if revision(Find(all, p.Name)) == revision(p.have) {
		return nil
	}
	return &cluster.Problem{What: "somebody else installed or removed " + p.subject() + " while this install was being prepared",
		Next: "Nothing was changed. Look again with --diff, or run the same command again"}
}

func revision(record *Inventory) string {
	if record == nil || record.live == nil {
		return ""
	}
	return string(record.live.GetUID()) + record.live.GetResourceVersion()
}
