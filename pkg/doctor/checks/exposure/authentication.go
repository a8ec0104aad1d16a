package exposure

import (
	"context"
	"slices"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var Authentication = &doctor.Check{
	ID:    "exposure/authentication",
	Title: "Public dashboard requires authentication",
	Why: "Kubeflow 1.2 authenticates every request as the same anonymous user, and so does a newer release whose authentication was removed. On a public " +
		"address that is an open administration page: any client that finds it can start containers on the cluster.",
	FixNote: "No automatic fix, because every remedy excludes some clients: make the load balancer internal, limit its source ranges, or remove the address with " +
		"kubectl kubeflow expose.",
	Sources: []string{"https://github.com/kubeflow/community-distribution/blob/master/README.md"},
	Reads:   append(slices.Concat(dashboard.GatewayKinds, dashboard.RouteKinds, dashboard.AuthenticationKinds), kube.NamespaceKind),
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		gateway, endpoints, err := Outside(ctx, e)
		if err != nil {
			return nil, err
		}
		endpoints = slices.DeleteFunc(endpoints, func(p dashboard.Endpoint) bool { return p.Reach != dashboard.Public })
		if len(endpoints) == 0 {
			return nil, nil
		}
		authenticated := gateway.Authenticate(ctx, e)
		if authenticated.Proven || authenticated.Unread != nil {
			return nil, authenticated.Unread
		}
		var findings []doctor.Finding
		for _, p := range endpoints {
			findings = append(findings, judgeOpen(p, strings.TrimSpace(sentence(authenticated.Reason)+" "+sentence(p.Open))))
		}
		return findings, nil
	},
}

func judgeOpen(p dashboard.Endpoint, cause string) doctor.Finding {
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: p.About, Field: openFields[p.Via]},
		Message:     "the dashboard is public, without working authentication",
		Consequence: "Any client that finds the address can start containers on the cluster.",
		Cause:       cause,
		Advice:      "Make the load balancer internal, admit only your own addresses (--source-ranges), or remove the address (--remove).",
		Command:     "kubectl kubeflow expose --lb --internal",
	}
	if !p.Live() {
		f.Severity, f.Message = doctor.Warning, "the dashboard becomes public as soon as the address is assigned, without working authentication"
	}
	if p.Via != "LoadBalancer" {
		f.Advice = "Remove the address, or put authentication in front of the gateway."
		f.Command = escape.Commandf("kubectl get %s -n %s %s -o yaml", strings.ToLower(p.About.Kind), p.About.Namespace, p.About.Name)
	}
	return f
}

// openFields are the fields that make each kind of address public.
var openFields = map[string]string{
	"LoadBalancer": "spec.loadBalancerSourceRanges", "Ingress": "spec.rules", "HTTPRoute": "spec.parentRefs",
	"NodePort": "spec.type", "HostPort": "spec.containers", "ClusterIP": "spec.externalIPs",
}
