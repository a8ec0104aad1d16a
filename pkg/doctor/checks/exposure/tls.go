package exposure

import (
	"context"
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var TLS = &doctor.Check{
	ID:    "exposure/tls",
	Title: "Public dashboard uses HTTPS",
	Why: "Over plain HTTP everybody on the way reads passwords and session cookies, and can take a session over. Kubeflow's gateway comes without a certificate, since it does not know the name " +
		"under which it will be reached.",
	FixNote: "Nothing by itself: which name visitors use is yours to say. kubectl kubeflow expose --lb --tls serves HTTPS with an authority of the dashboard's own, --tls letsencrypt with a name that the " +
		"internet knows. Something in front of the load balancer may end TLS as well, which this check cannot see.",
	Sources: []string{"https://learn.microsoft.com/azure/aks/configure-load-balancer-standard"},
	Reads:   dashboard.GatewayKinds,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		gateway, services, err := LoadBalancers(ctx, e)
		if err != nil {
			return nil, err
		}
		if gateway.IstioGateway == nil {
			return nil, doctor.Skip("the dashboard has no gateway of Istio's")
		}
		if gateway.Encrypts() {
			return nil, nil
		}
		if !slices.ContainsFunc(services, func(s exposingService) bool {
			return dashboard.HasAddress(s.Service) && !dashboard.IsInternal(s.Service)
		}) {
			return nil, nil
		}
		return []doctor.Finding{{
			Severity:    doctor.Warning,
			About:       doctor.Subject{Ref: cluster.RefOf(gateway.IstioGateway), Field: "spec.servers"},
			Message:     "the dashboard has a public address and speaks plain HTTP",
			Consequence: "Passwords and session cookies can be read on the way.",
			Advice:      "Serve HTTPS, or let something in front of the load balancer end TLS; until then let only your own addresses in (--source-ranges).",
			Command:     "kubectl kubeflow expose --lb --tls",
		}}, nil
	},
}
