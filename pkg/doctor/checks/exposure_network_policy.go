package checks

import (
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var exposedPolicy = &doctor.Check{
	ID:    "exposure/network-policy",
	Title: "NetworkPolicies allow traffic to the gateway",
	Why: "Kubeflow 26.03 has a policy by which only pods of istio-system reach the gateway. Where the cluster enforces policies (Azure, Calico or Cilium), the load balancer has an address and " +
		"nobody gets an answer there; a port-forward works all the same, which hides it.",
	FixNote: "--fix adds a NetworkPolicy that lets everybody reach the gateway's ports, as kubectl kubeflow expose --lb does. Who may come is for the load balancer to limit: it is seen with the node's address.",
	Sources: []string{"kubeflow/manifests#3547", "kubeflow/manifests#3227"},
	Reads:   []schema.GroupKind{kube.ServiceKind, kube.NetworkPolicyKind, kube.DaemonSetKind},
	Hint:    "A network security group on the subnet may keep visitors from the load balancer: az network nsg list.",
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		services, err := loadBalancers(ctx, e)
		if err != nil {
			return nil, err
		}
		policies, err := e.List(ctx, kube.NetworkPolicyKind, cluster.Scope{Namespace: gatewayNamespace})
		if err != nil {
			return nil, err
		}
		engine, err := cluster.PolicyEngine(ctx, e)
		if err != nil || engine == "" {
			return nil, err
		}
		return judgeVisitors(services[0], policies, engine), nil
	},
}

func judgeVisitors(service *unstructured.Unstructured, policies []*unstructured.Unstructured, engine string) []doctor.Finding {
	var closing *unstructured.Unstructured
	for _, p := range policies {
		if !selectsGateway(p) {
			continue
		}
		if slices.ContainsFunc(kube.Items(p.Object, "spec", "ingress"), func(rule map[string]any) bool { return admits(rule, service) }) {
			return nil
		}
		closing = p
	}
	if closing == nil {
		return nil
	}
	return []doctor.Finding{{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(closing), Field: "spec.ingress"},
		Message:     fmt.Sprintf("NetworkPolicies keep the visitors of Service %s from the gateway, and %s enforces them", service.GetName(), engine),
		Consequence: "The dashboard's address does not answer.",
		Cause:       "The gateway may be reached from pods alone, and a load balancer's visitors are none.",
		Command:     "kubectl kubeflow expose --lb",
		Fix: &doctor.Fix{
			Title:   "Let visitors reach the gateway",
			Impact:  doctor.Safe,
			Changes: []cluster.Change{{Verb: cluster.Apply, After: allowVisitors(service)}},
		},
	}}
}

// selectsGateway tells whether a policy decides who may reach the gateway's pods.
func selectsGateway(policy *unstructured.Unstructured) bool {
	if types := kube.Texts(policy.Object, "spec", "policyTypes"); len(types) > 0 && !slices.Contains(types, "Ingress") {
		return false
	}
	content, _, _ := unstructured.NestedMap(policy.Object, "spec", "podSelector")
	var selector metav1.LabelSelector
	if runtime.DefaultUnstructuredConverter.FromUnstructured(content, &selector) != nil {
		return false
	}
	chosen, err := metav1.LabelSelectorAsSelector(&selector)
	return err == nil && chosen.Matches(gatewayLabels)
}

// admits tells whether a rule lets everybody reach the port that a Service's first one leads to.
func admits(rule map[string]any, service *unstructured.Unstructured) bool {
	from := kube.Items(rule, "from")
	anybody := len(from) == 0 || slices.ContainsFunc(from, func(peer map[string]any) bool { return kube.Text(peer, "ipBlock", "cidr") == "0.0.0.0/0" })
	ports := kube.Items(rule, "ports")
	targets := targetsOf(service)
	return anybody && (len(ports) == 0 || len(targets) == 0 || slices.ContainsFunc(ports, func(p map[string]any) bool { return p["port"] == nil || slices.Contains(targets, p["port"]) }))
}

func targetsOf(service *unstructured.Unstructured) []any {
	var targets []any
	for _, p := range kube.Items(service.Object, "spec", "ports") {
		target := p["targetPort"]
		if target == nil {
			target = p["port"]
		}
		targets = append(targets, target)
	}
	return targets
}

// allowVisitors is the policy that expose adds too, under the same name.
func allowVisitors(service *unstructured.Unstructured) *unstructured.Unstructured {
	var ports []any
	for _, target := range targetsOf(service) {
		ports = append(ports, map[string]any{"port": target, "protocol": "TCP"})
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
		"metadata": map[string]any{
			"name": "kubectl-kubeflow-allow-ingressgateway", "namespace": gatewayNamespace,
			"labels": map[string]any{"app.kubernetes.io/managed-by": "kubectl-kubeflow", "app.kubernetes.io/part-of": "kubeflow", "app.kubernetes.io/component": "expose"},
		},
		"spec": map[string]any{
			"podSelector": map[string]any{"matchLabels": map[string]any{"app": gatewayLabels["app"]}},
			"policyTypes": []any{"Ingress"},
			"ingress":     []any{map[string]any{"ports": ports}},
		},
	}}
}
