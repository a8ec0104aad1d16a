package exposure

import (
	"context"
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var TLS = &doctor.Check{
	ID:    "exposure/tls",
	Title: "Public dashboard uses HTTPS",
	Why: "Over plain HTTP, passwords and session cookies can be read in transit, and sessions can be hijacked. Kubeflow's gateway has no certificate by " +
		"default, because the DNS name of the dashboard is not known when it is installed.",
	FixNote: "No automatic fix, because you choose the DNS name. kubectl kubeflow expose --lb --tls serves HTTPS with a certificate from a private CA, --tls " +
		"letsencrypt with one for a public DNS name. A proxy in front of the load balancer may terminate TLS as well, which this check cannot see.",
	Sources: []string{"https://learn.microsoft.com/azure/aks/configure-load-balancer-standard"},
	Reads:   append(slices.Clone(dashboard.GatewayKinds), kube.NamespaceKind),
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		gateway, services, err := LoadBalancers(ctx, e)
		if err != nil {
			return nil, err
		}
		if gateway.IstioGateway == nil {
			return nil, doctor.Skip("the dashboard has no Istio Gateway")
		}
		if gateway.Encrypts() {
			return nil, nil
		}
		if !slices.ContainsFunc(services, func(s exposingService) bool {
			reach, _ := dashboard.ReachOf(s.Service)
			return dashboard.HasAddress(s.Service) && reach != dashboard.Internal
		}) {
			return nil, nil
		}
		return []doctor.Finding{{
			Severity:    doctor.Warning,
			About:       doctor.Subject{Ref: cluster.RefOf(gateway.IstioGateway), Field: "spec.servers"},
			Message:     "the dashboard has a public address and serves plain HTTP",
			Consequence: "Passwords and session cookies can be read in transit.",
			Advice:      "Serve HTTPS, or terminate TLS in front of the load balancer; until then admit only your own addresses (--source-ranges).",
			Command:     "kubectl kubeflow expose --lb --tls",
		}}, nil
	},
}
