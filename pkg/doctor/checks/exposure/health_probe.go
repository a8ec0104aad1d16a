package exposure

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var HealthProbe = &doctor.Check{
	ID:    "exposure/health-probe",
	Title: "LoadBalancer health probe matches the gateway",
	Why: "If a port of a Service sets appProtocol to http or https, AKS probes the nodes with GET / over that protocol and expects 200. The gateway answers " +
		"with a redirect or 404, so the load balancer marks every node unhealthy and drops all traffic.",
	FixNote: "--fix removes appProtocol, so that AKS probes with TCP. Kubeflow's own Services do not set it.",
	Sources: []string{"Azure/AKS#3210", "Azure/AKS#3331", "https://learn.microsoft.com/azure/aks/configure-load-balancer-standard"},
	Reads:   slices.Concat(dashboard.GatewayKinds, []schema.GroupKind{kube.NodeKind}),
	Writes:  []doctor.Write{{Kind: kube.ServiceKind, Fields: []string{"/spec/ports/*/appProtocol"}}},
	Hint:    "A network security group on the subnet may block clients of the load balancer: az network nsg list.",
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		_, services, err := LoadBalancers(ctx, e)
		if err != nil {
			return nil, err
		}
		nodes, err := e.List(ctx, kube.NodeKind, cluster.Scope{Metadata: true})
		if err != nil {
			return nil, err
		}
		if len(nodes) > 0 && !doctor.IsAKS(nodes[0]) {
			return nil, doctor.Skip("this is not an AKS cluster")
		}
		var findings []doctor.Finding
		for _, s := range services {
			for i, p := range kube.Items(s.object.Object, "spec", "ports") {
				if probesHTTP(s.object, p) {
					findings = append(findings, judgeProbe(s.object, i, p))
					break
				}
			}
		}
		return findings, nil
	},
}

// probesHTTP reports whether AKS would probe a port with HTTP by default.
func probesHTTP(service *unstructured.Unstructured, port map[string]any) bool {
	protocol := strings.ToLower(kube.Text(port, "appProtocol"))
	if protocol != "http" && protocol != "https" {
		return false
	}
	for key := range service.GetAnnotations() { // the protocol, path or port of the probe is set explicitly
		if strings.HasPrefix(key, "service.beta.kubernetes.io/") && strings.Contains(key, "health-probe") {
			return false
		}
	}
	return true
}

func judgeProbe(service *unstructured.Unstructured, i int, port map[string]any) doctor.Finding {
	return doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(service), Field: fmt.Sprintf("spec.ports[%d].appProtocol", i)},
		Message:     fmt.Sprintf("the load balancer's health probe requests / from the gateway over %s", strings.ToUpper(kube.Text(port, "appProtocol"))),
		Consequence: "The gateway does not answer 200 there, so the load balancer drops all traffic.",
		Cause:       "AKS probes by appProtocol; without it, by TCP.",
		Command:     fmt.Sprintf(`kubectl patch service -n %s %s --type=json -p '[{"op":"remove","path":"/spec/ports/%d/appProtocol"}]'`, escape.Word(service.GetNamespace()), escape.Word(service.GetName()), i),
		Fix: &doctor.Fix{
			Title:  "Remove appProtocol from Service " + service.GetName(),
			Impact: doctor.Safe,
			Changes: []cluster.Change{cluster.Edit(service, func(o *unstructured.Unstructured) {
				for _, p := range kube.Items(o.Object, "spec", "ports") {
					if probesHTTP(o, p) {
						delete(p, "appProtocol")
					}
				}
			})},
		},
	}
}
