package dashboard

import (
	"context"

	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A Dashboard is everything that decides who can reach one Kubeflow's dashboard.
type Dashboard struct {
	Gateway
	Network
	Authentication Authentication
	Ingresses      []networkingv1.Ingress // those in front of one of the gateway's Services
	Routes         []Route                // the Gateway API's, likewise
	PublicNodes    string                 // why a port of the nodes counts as public; "" when no such port leads to the dashboard, or the nodes are private
	Region         string                 // of Azure, from the nodes' labels; "" when unknown
}

// ManagedLabels are the labels of every object that this program adds to expose the dashboard.
var ManagedLabels = map[string]string{
	"app.kubernetes.io/managed-by": "kubectl-kubeflow",
	"app.kubernetes.io/part-of":    "kubeflow",
	"app.kubernetes.io/component":  "expose",
}

// Read reads the whole model. A cluster without a gateway is a *problem.Error that wraps [ErrNoGateway].
func Read(ctx context.Context, view cluster.View) (Dashboard, error) {
	var d Dashboard
	var err error
	Ahead(ctx, view)
	if d.Gateway, err = FindGateway(ctx, view); err != nil {
		return d, err
	}
	if d.Network, err = d.ReadNetwork(ctx, view); err != nil {
		return d, err
	}
	if err = d.readRoutes(ctx, view); err != nil && !apierrors.IsForbidden(err) {
		return d, err // without permission there is one endpoint less to report: nothing is proven by them
	}
	d.PublicNodes = d.publicNodes(ctx, view)
	d.Authentication = d.Authenticate(ctx, view)
	d.Region = readRegion(ctx, view)
	return d, nil
}

// ReadEndpoints reads what Endpoints needs of a gateway's surroundings, and nothing about its authentication.
func (g Gateway) ReadEndpoints(ctx context.Context, view cluster.View) ([]Endpoint, error) {
	d := Dashboard{Gateway: g}
	if err := d.readRoutes(ctx, view); err != nil {
		return nil, err
	}
	d.PublicNodes = d.publicNodes(ctx, view)
	return d.Endpoints(), nil
}

var systemNodes = cluster.Scope{Labels: "kubernetes.azure.com/mode=system", Metadata: true}

// readRegion returns the Azure region, "" when it is unknown. The nodes of the system pool are few, and always there.
func readRegion(ctx context.Context, view cluster.View) string {
	system, err := view.List(ctx, kube.NodeKind, systemNodes)
	if err != nil {
		return ""
	}
	for _, node := range system {
		for _, label := range []string{"topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"} {
			if region := node.GetLabels()[label]; region != "" {
				return region
			}
		}
	}
	return ""
}
