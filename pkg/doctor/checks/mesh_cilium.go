package checks

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var cilium = &doctor.Check{
	ID:    "mesh/cilium",
	Title: "the mesh's traffic is left to Istio by Cilium",
	Why: "Where Cilium takes the place of kube-proxy it may send a pod's traffic past the sidecar: Istio then does not know who asks, and the dashboard or Pipelines answer \"RBAC: access denied\". " +
		"And a Cilium that wants to be the only CNI plugin takes Istio's away.",
	Cure:    "Nothing is changed: on AKS that configuration is AKS's own.",
	Sources: []string{"kubeflow/manifests#2858", "kubeflow/pipelines#11544", "https://learn.microsoft.com/azure/aks/azure-cni-powered-by-cilium"},
	Reads:   []schema.GroupKind{configMapKind, daemonSetKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		config, err := e.Get(ctx, cluster.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: "kube-system", Name: "cilium-config"})
		if apierrors.IsNotFound(err) {
			return nil, doctor.Skip("the cluster's network is not Cilium's")
		}
		if err != nil {
			return nil, err
		}
		_, err = e.Get(ctx, cluster.Ref{APIVersion: "apps/v1", Kind: "DaemonSet", Namespace: "kube-system", Name: "istio-cni-node"})
		if err != nil && !apierrors.IsNotFound(err) {
			return nil, err
		}
		return judgeCilium(config, err == nil), nil
	},
}

func judgeCilium(config *unstructured.Unstructured, istioCNI bool) []doctor.Finding {
	finding := func(key, message, consequence string) doctor.Finding {
		return doctor.Finding{
			Severity: doctor.Warning, About: doctor.Subject{Ref: cluster.RefOf(config), Field: "data." + key}, Message: message, Consequence: consequence,
			Advice:  "On AKS nobody but AKS changes this: ask its support, or take a cluster whose network is Azure CNI without Cilium.",
			Command: "kubectl get configmap -n kube-system cilium-config -o yaml",
		}
	}
	data := func(key string) string { return text(config.Object, "data", key) }
	var findings []doctor.Finding
	balances := data("bpf-lb-sock") == "true" || data("kube-proxy-replacement") == "true" || data("kube-proxy-replacement") == "strict"
	if balances && data("bpf-lb-sock-hostns-only") != "true" {
		findings = append(findings, finding("bpf-lb-sock-hostns-only", "Cilium chooses where a pod's traffic goes before Istio's sidecar sees it",
			`Requests may arrive without the mesh's identity: "RBAC: access denied".`))
	}
	if istioCNI && data("cni-exclusive") == "true" {
		findings = append(findings, finding("cni-exclusive", "Cilium removes other CNI plugins from the nodes, Istio's among them", "Pods with a sidecar do not start."))
	}
	return findings
}
