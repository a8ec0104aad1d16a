package checks

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var exposedTLS = &doctor.Check{
	ID:    "exposure/tls",
	Title: "Public dashboard uses HTTPS",
	Why: "Over plain HTTP everybody on the way reads passwords and session cookies, and can take a session over. Kubeflow's gateway comes without a certificate, since it does not know the name " +
		"under which it will be reached.",
	FixNote: "Nothing by itself: which name visitors use is yours to say. kubectl kubeflow expose --lb --tls serves HTTPS with an authority of the dashboard's own, --tls letsencrypt with a name that the " +
		"internet knows. Something in front of the load balancer may end TLS as well, which this check cannot see.",
	Sources: []string{"https://learn.microsoft.com/azure/aks/configure-load-balancer-standard"},
	Reads:   []schema.GroupKind{kube.ServiceKind, istioGatewayKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		services, err := loadBalancers(ctx, e)
		if err != nil {
			return nil, err
		}
		gateway, err := dashboardGateway(ctx, e)
		if err != nil {
			return nil, err
		}
		if gateway == nil {
			return nil, doctor.Skip("the dashboard has no gateway of Istio's")
		}
		if encrypts(gateway) {
			return nil, nil
		}
		public := slices.IndexFunc(services, func(s *unstructured.Unstructured) bool { return hasAddress(s) && !internal(s) })
		if public < 0 {
			return nil, nil
		}
		return []doctor.Finding{{
			Severity:    doctor.Warning,
			About:       doctor.Subject{Ref: cluster.RefOf(gateway), Field: "spec.servers"},
			Message:     "the dashboard has a public address and speaks plain HTTP",
			Consequence: "Passwords and session cookies can be read on the way.",
			Advice:      "Serve HTTPS, or let something in front of the load balancer end TLS; until then let only your own addresses in (--source-ranges).",
			Command:     "kubectl kubeflow expose --lb --tls",
		}}, nil
	},
}
