package doctor

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// A KnownRelease is which Kubeflow this is, and how that is known.
type KnownRelease struct {
	Name string `json:"name,omitempty"`
	From string `json:"from"` // inventory, fingerprint or unknown
}

// learn fills in what the head of the report says; what cannot be read stays empty.
func (r *Report) learn(ctx context.Context, view cluster.View, s Settings) {
	if v, err := view.Version(ctx); err == nil {
		r.Kubernetes = v.GitVersion
	}
	r.Platform = platform(ctx, view, r.Kubernetes)
	r.Release = KnownRelease{From: "unknown"}
	if s.Release != nil {
		r.Release = KnownRelease{Name: s.Release.Version, From: "inventory"}
	} else if known, err := Recognise(ctx, view); err == nil && known != nil {
		r.Release = KnownRelease{Name: known.Version, From: "fingerprint"}
	}
}

// Recognise returns the release whose ml-pipeline image runs in namespace kubeflow; nil when it is none that is known.
func Recognise(ctx context.Context, view cluster.View) (*release.Release, error) {
	server, err := view.Get(ctx, cluster.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "kubeflow", Name: "ml-pipeline"})
	if err != nil {
		return nil, err
	}
	return release.Recognise(server), nil
}

// TypicalNode returns a node as AKS makes them, for judging manifests where no cluster is at hand.
func TypicalNode() *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Node",
		"metadata": map[string]any{"name": "aks-node", "labels": map[string]any{aksLabel: "aks", "kubernetes.io/os": "linux"}},
		"status":   map[string]any{"nodeInfo": map[string]any{"containerRuntimeVersion": "containerd://1.7", "operatingSystem": "linux"}},
	}}
}

// TypicalGPUNode returns a node of an AKS GPU pool as the documentation of AKS makes it, with the taint that keeps other pods off.
func TypicalGPUNode() *unstructured.Unstructured {
	node := TypicalNode()
	node.SetName("aks-gpu")
	node.SetLabels(map[string]string{aksLabel: "aks", "kubernetes.io/os": "linux", "accelerator": "nvidia"})
	node.Object["spec"] = map[string]any{"taints": []any{map[string]any{"key": "sku", "value": "gpu", "effect": "NoSchedule"}}}
	return node
}
