package exposure

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var NetworkPolicy = &doctor.Check{
	ID:    "exposure/network-policy",
	Title: "NetworkPolicies allow traffic to the gateway",
	Why: "Kubeflow 26.03 has a policy that admits only pods of istio-system to the gateway. If the cluster enforces policies (Azure, Calico or Cilium), the " +
		"load balancer has an address that does not answer; a port-forward still works, which hides the problem.",
	FixNote: "--fix adds a NetworkPolicy that admits all sources to the gateway's ports, as kubectl kubeflow expose --lb does. Limit the clients at the load " +
		"balancer, because the gateway sees the address of a node as their source.",
	Sources: []string{"kubeflow/manifests#3547", "kubeflow/manifests#3227"},
	Reads:   append(slices.Concat(dashboard.GatewayKinds, dashboard.NetworkKinds), kube.NamespaceKind),
	Writes:  []doctor.Write{{Kind: kube.NetworkPolicyKind, Names: []string{dashboard.AllowName}, Fields: []string{"/spec"}, Create: true}},
	Hint:    "A network security group on the subnet may block clients of the load balancer: az network nsg list.",
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		gateway, services, err := LoadBalancers(ctx, e)
		if err != nil {
			return nil, err
		}
		network, err := gateway.ReadNetwork(ctx, e)
		if err != nil || network.EngineUnread != nil {
			return nil, cmp.Or(err, network.EngineUnread)
		}
		d := dashboard.Dashboard{Gateway: gateway, Network: network}
		if len(d.Blocked()) == 0 {
			return nil, nil
		}
		policies, err := e.List(ctx, kube.NetworkPolicyKind, cluster.Scope{Namespace: gateway.Namespace()})
		if err != nil {
			return nil, err
		}
		return []doctor.Finding{judgeBlocked(d, services[0], policies)}, nil
	},
}

func judgeBlocked(d dashboard.Dashboard, service exposingService, policies []*unstructured.Unstructured) doctor.Finding {
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: d.ClosingPolicy(), Field: "spec.ingress"},
		Message:     fmt.Sprintf("NetworkPolicies block the gateway's %s for clients of Service %s, and %s enforces them", portNumbers(d.Blocked()), service.Name, d.Engine),
		Consequence: "The dashboard's address does not answer.",
		Cause:       "The policies admit only pods, and a load balancer's clients are not pods.",
		Command:     "kubectl kubeflow expose --lb",
	}
	var current *unstructured.Unstructured
	if i := slices.IndexFunc(policies, func(o *unstructured.Unstructured) bool { return o.GetName() == dashboard.AllowName }); i >= 0 {
		current = policies[i]
	}
	if change := d.Allow(current); change != nil {
		f.Fix = &doctor.Fix{Title: "Admit clients from outside the cluster to the gateway", Impact: doctor.Safe, Changes: []cluster.Change{*change}}
	}
	return f
}

// portNumbers names ports: "port 8080", "ports 8080 and 8443".
func portNumbers(ports []dashboard.Port) string {
	var numbers []string
	for _, p := range ports {
		if p.Number == 0 {
			numbers = append(numbers, p.Name)
			continue
		}
		numbers = append(numbers, strconv.Itoa(int(p.Number)))
	}
	return text.Verb(len(ports), "port ", "ports ") + text.And(numbers...)
}
