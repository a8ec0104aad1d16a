package doctor

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/version"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

func aksNode(name, pool, mode, size, kubelet string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Node",
		"metadata": map[string]any{"name": name, "labels": map[string]any{
			aksLabel: "MC_group_cluster_westeurope", aksPrefix + "agentpool": pool, aksPrefix + "mode": mode, aksPrefix + "node-image-version": "AKSUbuntu-2204",
			aksPrefix + "podnetwork-type": "overlay", "node.kubernetes.io/instance-type": size, "topology.kubernetes.io/region": "westeurope",
		}},
		"status": map[string]any{"nodeInfo": map[string]any{"containerRuntimeVersion": "containerd://1.7", "kubeletVersion": kubelet}},
	}}
}

func inKubeSystem(kind, name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "apps/v1", "kind": kind, "metadata": map[string]any{"name": name, "namespace": "kube-system"}}}
}

func TestThePlatformIsToldByNodesAndKubeSystem(t *testing.T) {
	view := cluster.Objects("the test", &version.Info{GitVersion: "v1.35.4"},
		aksNode("a", "nodepool1", "system", "Standard_D4s_v5", "v1.35.4"), aksNode("b", "nodepool1", "system", "Standard_D4s_v5", "v1.35.4"),
		aksNode("c", "gpu", "user", "Standard_NC6s_v3", "v1.34.1"),
		inKubeSystem("DaemonSet", "cilium"), inKubeSystem("DaemonSet", "ama-logs"), inKubeSystem("Deployment", "azure-policy"))
	got := Diagnose(context.Background(), view, nil, Options{}).Platform
	want := Platform{
		AKS: true, Why: "node label " + aksLabel, Runtime: "containerd://1.7", Cluster: "MC_group_cluster_westeurope", Region: "westeurope",
		Pools: []Pool{
			{Name: "gpu", Mode: "user", Nodes: 1, VMSize: "Standard_NC6s_v3", NodeImage: "AKSUbuntu-2204", Kubernetes: "v1.34.1"},
			{Name: "nodepool1", Mode: "system", Nodes: 2, VMSize: "Standard_D4s_v5", NodeImage: "AKSUbuntu-2204"},
		},
		Network: "Azure CNI Overlay, NetworkPolicies enforced by Cilium", Addons: []string{"monitoring", "Azure Policy"}, Support: "supported",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the platform is\n%+v\nwant\n%+v", got, want)
	}
}

func TestSupportGoesByTheMinorVersion(t *testing.T) {
	for server, want := range map[string]string{"v1.21.14": "no longer supported", "v1.33.2": "long-term support only", "v1.35.4": "supported", "v1.60.0": "", "": ""} {
		if got := supportOf(server); got != want {
			t.Errorf("%q is %q, want %q", server, got, want)
		}
	}
}

func TestAHintComesWithAFindingThatMatters(t *testing.T) {
	check := func(id string, severity Severity, hint string) *Check {
		return &Check{ID: id, Hint: hint, Run: func(context.Context, Exam) ([]Finding, error) {
			if severity == "" {
				return nil, nil
			}
			return []Finding{{Severity: severity, Message: id}}, nil
		}}
	}
	r := Diagnose(context.Background(), cluster.Objects("the test", nil), []*Check{
		check("a/well", "", "not this"), check("a/info", Info, "nor this"), check("a/ill", Error, "this"), check("a/too", Warning, "this"), check("a/none", Error, ""),
	}, Options{})
	if fmt.Sprint(r.Hints) != "[this]" {
		t.Errorf("the hints are %q", r.Hints)
	}
}

func TestAReleaseIsRecognisedByItsImageWithADigest(t *testing.T) {
	server := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "ml-pipeline", "namespace": "kubeflow"},
		"spec": map[string]any{"template": map[string]any{"spec": map[string]any{"containers": []any{
			map[string]any{"name": "api", "image": "registry.local:5000/kfp-api-server:2.16.0@sha256:" + strings.Repeat("0", 64)},
		}}}},
	}}
	known, err := Recognise(t.Context(), cluster.Objects("a test", nil, server))
	if err != nil || known == nil || known.Version != "26.03" {
		t.Errorf("recognised %v, %v", known, err)
	}
}
