package exposure

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var TargetPort = &doctor.Check{
	ID:    "exposure/target-port",
	Title: "Services target a port that the gateway listens on",
	Why: "Since Kubeflow 1.3 the gateway listens on 8080 and 8443 instead of 80 and 443. A manually created Service with port 80 and no targetPort, as in " +
		"guides for 1.2, gets an address that never answers.",
	FixNote: "--fix sets the targetPort that Service istio-ingressgateway has for the same port.",
	Sources: []string{"https://learn.microsoft.com/azure/aks/configure-load-balancer-standard"},
	Reads:   slices.Concat(dashboard.GatewayKinds, []schema.GroupKind{kube.DeploymentKind}),
	Writes:  []doctor.Write{{Kind: kube.ServiceKind, Fields: []string{"/spec/ports/*/targetPort"}}},
	Hint:    "A network security group on the subnet may block clients of the load balancer: az network nsg list.",
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		gateway, services, err := gatewayServices(ctx, e)
		if err != nil {
			return nil, err
		}
		deployments, err := e.List(ctx, kube.DeploymentKind, cluster.Scope{Namespace: gateway.Namespace()})
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(deployments, func(d *unstructured.Unstructured) bool { return runsGateway(d, gateway) })
		if i < 0 {
			return nil, doctor.Skip("no Deployment of namespace %s runs the gateway", gateway.Namespace())
		}
		canonical := portsOf(services, gateway)
		var findings []doctor.Finding
		for _, s := range services {
			if !gateway.IsService(s.Service) {
				findings = append(findings, judgePorts(s.object, canonical, listensOn(deployments[i]))...)
			}
		}
		return findings, nil
	},
}

// runsGateway reports whether a Deployment creates the gateway's pods. Rendered manifests may omit labels that match its selector.
func runsGateway(deployment *unstructured.Unstructured, gateway dashboard.Gateway) bool {
	podLabels, _, _ := unstructured.NestedStringMap(deployment.Object, "spec", "template", "metadata", "labels")
	selector := gateway.Service.Spec.Selector
	return deployment.GetName() == gateway.Service.Name || len(selector) > 0 && labels.SelectorFromSet(selector).Matches(labels.Set(podLabels))
}

// portsOf returns what the gateway's own Service has as targetPort, by port.
func portsOf(services []exposingService, gateway dashboard.Gateway) map[int64]any {
	ports := map[int64]any{}
	for _, s := range services {
		if !gateway.IsService(s.Service) {
			continue
		}
		for _, p := range kube.Items(s.object.Object, "spec", "ports") {
			if number, ok := p["port"].(int64); ok && p["targetPort"] != nil {
				ports[number] = p["targetPort"]
			}
		}
	}
	return ports
}

// listensOn returns the numbers and names of the ports of the gateway's containers.
func listensOn(gateway *unstructured.Unstructured) map[string]bool {
	open := map[string]bool{}
	for _, c := range kube.Items(gateway.Object, "spec", "template", "spec", "containers") {
		for _, p := range kube.Items(c, "ports") {
			open[fmt.Sprint(p["containerPort"])] = true
			open[kube.Text(p, "name")] = true
		}
	}
	return open
}

func judgePorts(service *unstructured.Unstructured, canonical map[int64]any, open map[string]bool) []doctor.Finding {
	for i, p := range kube.Items(service.Object, "spec", "ports") {
		number, _ := p["port"].(int64)
		target := p["targetPort"]
		if target == nil {
			target = number
		}
		right, known := canonical[number]
		if !known || fmt.Sprint(target) == fmt.Sprint(right) || open[fmt.Sprint(target)] || !open[fmt.Sprint(right)] {
			continue
		}
		return []doctor.Finding{{
			Severity:    doctor.Error,
			About:       doctor.Subject{Ref: cluster.RefOf(service), Field: fmt.Sprintf("spec.ports[%d].targetPort", i)},
			Message:     fmt.Sprintf("port %d targets port %v of the gateway, which does not listen there", number, target),
			Consequence: "Clients of this Service get no answer.",
			Cause:       "The Service was created for an older gateway, or without a targetPort.",
			Command: escape.Commandf("kubectl patch service -n %s %s --type=json -p %s", service.GetNamespace(), service.GetName(),
				fmt.Sprintf(`[{"op":"add","path":"/spec/ports/%d/targetPort","value":%v}]`, i, right)),
			Fix: &doctor.Fix{
				Title:   fmt.Sprintf("Send port %d of Service %s to port %v", number, service.GetName(), right),
				Impact:  doctor.Safe,
				Changes: []cluster.Change{retarget(service, canonical, open)},
			},
		}}
	}
	return nil
}

// retarget gives every port of a Service whose target is closed the targetPort of the gateway's own Service.
func retarget(service *unstructured.Unstructured, canonical map[int64]any, open map[string]bool) cluster.Change {
	return cluster.Edit(service, func(o *unstructured.Unstructured) {
		for _, p := range kube.Items(o.Object, "spec", "ports") {
			number, _ := p["port"].(int64)
			target := p["targetPort"]
			if target == nil {
				target = number
			}
			if right, known := canonical[number]; known && !open[fmt.Sprint(target)] && open[fmt.Sprint(right)] {
				p["targetPort"] = right
			}
		}
	})
}
