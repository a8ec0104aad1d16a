package exposure

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var LoadBalancer = &doctor.Check{
	ID:    "exposure/load-balancer",
	Title: "LoadBalancer has an IP address",
	Why: "AKS asks Azure for the address of a Service of type LoadBalancer. If Azure refuses (missing permission, exhausted quota, unknown address, denied by a " +
		"policy), the Service stays pending, and only its events have the reason.",
	FixNote: "No automatic fix: the cause is in Azure. The finding names it and the az command.",
	Sources: []string{"Azure/AKS#486", "Azure/AKS#1392", "Azure/AKS#1945", "https://learn.microsoft.com/azure/aks/static-ip"},
	Reads:   slices.Concat(dashboard.GatewayKinds, []schema.GroupKind{kube.EventKind}),
	Hint: "Whether Azure creates a load balancer depends on the cluster's identity (Network Contributor on the subnet and the address), the public IP quota, and " +
		"the subscription's policies.",
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		gateway, services, err := LoadBalancers(ctx, e)
		if err != nil {
			return nil, err
		}
		events, err := e.List(ctx, kube.EventKind, cluster.Scope{Namespace: gateway.Namespace(), Fields: "involvedObject.kind=Service,type=Warning"})
		if err != nil {
			return nil, err
		}
		var findings []doctor.Finding
		for _, s := range services {
			if message := refusal(s.object, events); message != "" && !dashboard.HasAddress(s.Service) {
				findings = append(findings, judgeRefusal(s.object, message))
			}
		}
		return findings, nil
	},
}

// refusal returns the message of AKS about a load balancer that it cannot create; "" without one.
func refusal(service *unstructured.Unstructured, events []*unstructured.Unstructured) string {
	for _, e := range events {
		if kube.Text(e.Object, "reason") == "SyncLoadBalancerFailed" && kube.Text(e.Object, "involvedObject", "name") == service.GetName() {
			return kube.Text(e.Object, "message")
		}
	}
	return ""
}

func judgeRefusal(service *unstructured.Unstructured, message string) doctor.Finding {
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(service), Field: "status.loadBalancer"},
		Message:     "Azure does not create the load balancer of the dashboard",
		Consequence: "The dashboard has no address.",
		Advice:      "See Azure's answer in the Service's events.",
		Command:     "kubectl describe service -n " + escape.Word(service.GetNamespace()) + " " + escape.Word(service.GetName()),
	}
	if refused, known := cluster.ExplainAzure(message); known {
		f.Cause = sentence(refused.What)
		if refused.Next != "" {
			f.Advice, f.Command = refused.Next+".", refused.Command
		}
	}
	return f
}
