package exposure

import (
	"cmp"
	"context"
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var Endpoint = &doctor.Check{
	ID:    "exposure/endpoint",
	Title: "Dashboard has an external address",
	Why: "Kubeflow creates no address that is reachable from outside the cluster: its gateway's Service is a NodePort or ClusterIP. That is a valid choice, " +
		"because a port-forward always works, so this is never more than information.",
	FixNote: "No automatic fix: kubectl kubeflow expose lists the methods, and refuses a public address without authentication.",
	Reads:   append(slices.Concat(dashboard.GatewayKinds, dashboard.RouteKinds), kube.NamespaceKind),
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		gateway, err := findGateway(ctx, e)
		if err != nil {
			return nil, err
		}
		endpoints, err := gateway.ReadEndpoints(ctx, e)
		if err != nil {
			return nil, err
		}
		return judgeEndpoints(gateway, endpoints), nil
	},
}

func judgeEndpoints(gateway dashboard.Gateway, endpoints []dashboard.Endpoint) []doctor.Finding {
	f := doctor.Finding{
		Severity: doctor.Info,
		About:    doctor.Subject{Ref: gateway.Ref(), Field: "spec.type"},
		Message:  "the dashboard has no address outside the cluster: its gateway's Service is a " + cmp.Or(string(gateway.Service.Spec.Type), "ClusterIP"),
		Advice:   "Use a port-forward, or give it an address.",
		Command:  "kubectl kubeflow expose",
	}
	for _, endpoint := range slices.Backward(endpoints) {
		switch {
		case endpoint.Outside() && endpoint.URL != "":
			return nil
		case endpoint.Via == "LoadBalancer":
			f.About = doctor.Subject{Ref: endpoint.About, Field: "status.loadBalancer"}
			f.Message = "the load balancer for the dashboard has no address yet"
			f.Advice = "AKS assigns one within a minute or two; the Service's events show what delays it."
			f.Command = "kubectl describe service -n " + endpoint.About.Namespace + " " + escape.Word(endpoint.About.Name)
		}
	}
	return []doctor.Finding{f}
}
