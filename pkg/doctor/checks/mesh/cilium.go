package mesh

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var Cilium = &doctor.Check{
	ID:    "mesh/cilium",
	Title: "Cilium leaves mesh traffic to Istio",
	Why: "Where Cilium replaces kube-proxy, it can redirect a pod's traffic before the sidecar sees it. Istio then does not know the " +
		"caller, and the dashboard or Pipelines respond \"RBAC: access denied\". With cni-exclusive, Cilium also removes Istio's CNI plugin.",
	FixNote: "No automatic fix: AKS manages Cilium's configuration.",
	Sources: []string{"kubeflow/manifests#2858", "kubeflow/pipelines#11544", "https://learn.microsoft.com/azure/aks/azure-cni-powered-by-cilium"},
	Reads:   []schema.GroupKind{kube.ConfigMapKind, kube.DaemonSetKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		config, err := e.Get(ctx, cluster.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: "kube-system", Name: "cilium-config"})
		if apierrors.IsNotFound(err) {
			return nil, doctor.Skip("the cluster does not use Cilium")
		}
		if err != nil {
			return nil, err
		}
		_, err = e.Get(ctx, cluster.Ref{APIVersion: "apps/v1", Kind: "DaemonSet", Namespace: "kube-system", Name: "istio-cni-node"})
		if err != nil && !apierrors.IsNotFound(err) {
			return nil, err
		}
		return ciliumFindings(config, err == nil), nil
	},
}

func ciliumFindings(config *unstructured.Unstructured, istioCNI bool) []doctor.Finding {
	finding := func(key, message, consequence string) doctor.Finding {
		return doctor.Finding{
			Severity: doctor.Warning, About: doctor.Subject{Ref: cluster.RefOf(config), Field: "data." + key}, Message: message, Consequence: consequence,
			Advice:  "AKS manages this setting: contact Azure support, or use a cluster with Azure CNI without Cilium.",
			Command: "kubectl get configmap -n kube-system cilium-config -o yaml",
		}
	}
	data := func(key string) string { return kube.Text(config.Object, "data", key) }
	var findings []doctor.Finding
	balances := data("bpf-lb-sock") == "true" || data("kube-proxy-replacement") == "true" || data("kube-proxy-replacement") == "strict"
	if balances && data("bpf-lb-sock-hostns-only") != "true" {
		findings = append(findings, finding("bpf-lb-sock-hostns-only", "Cilium load-balances a pod's traffic before Istio's sidecar sees it",
			`Requests may arrive without the mesh identity: "RBAC: access denied".`))
	}
	if istioCNI && data("cni-exclusive") == "true" {
		findings = append(findings, finding("cni-exclusive", "Cilium removes other CNI plugins from the nodes, including Istio's", "Pods with a sidecar do not start."))
	}
	return findings
}
