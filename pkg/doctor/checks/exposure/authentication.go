package exposure

import (
	"context"
	"slices"
	"strings"

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
	Reads:   slices.Concat(dashboard.GatewayKinds, dashboard.AuthenticationKinds),
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		gateway, services, err := LoadBalancers(ctx, e)
		if err != nil {
			return nil, err
		}
		authenticated := gateway.Authenticate(ctx, e)
		if authenticated.Proven || authenticated.Unread != nil {
			return nil, authenticated.Unread
		}
		var findings []doctor.Finding
		for _, s := range services {
			if reach, open := dashboard.ReachOf(s.Service); reach == dashboard.Public && dashboard.HasAddress(s.Service) && gateway.Serves(s.Service) {
				findings = append(findings, judgeOpen(s, sentence(authenticated.Reason), sentence(open)))
			}
		}
		return findings, nil
	},
}

func judgeOpen(service exposingService, why, open string) doctor.Finding {
	return doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: service.ref(), Field: "spec.loadBalancerSourceRanges"},
		Message:     "the dashboard is public, without working authentication",
		Consequence: "Any client that finds the address can start containers on the cluster.",
		Cause:       strings.TrimSpace(why + " " + open),
		Advice:      "Make the load balancer internal, admit only your own addresses (--source-ranges), or remove the address (--remove).",
		Command:     "kubectl kubeflow expose --lb --internal",
	}
}
