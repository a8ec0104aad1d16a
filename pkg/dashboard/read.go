package dashboard

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// listed returns the objects of a kind as their Go type.
func listed[T any](ctx context.Context, view cluster.View, kind schema.GroupKind, in cluster.Scope) ([]T, error) {
	objects, err := view.List(ctx, kind, in)
	if err != nil {
		return nil, fmt.Errorf("listing %ss: %w", kind.Kind, err)
	}
	all := make([]T, 0, len(objects))
	for _, o := range objects {
		typed, err := cluster.As[T](o)
		if err != nil {
			return nil, err
		}
		all = append(all, *typed)
	}
	return all, nil
}

// Ahead asks ahead for what [Read] reads of the gateway that Kubeflow brings. Of another gateway it reads more, one after the other.
func Ahead(ctx context.Context, view cluster.View) {
	in := cluster.Scope{Namespace: KubeflowNamespace}
	questions := []cluster.Question{
		{Ref: gatewayRef}, {Ref: ownRef},
		{Kind: kube.PodKind, In: cluster.Scope{Namespace: KubeflowNamespace, Labels: kubeflowLabels.String()}},
		{Kind: kube.PodKind, In: cluster.Scope{Labels: "istio=" + kubeflowLabels["istio"]}},
		{Kind: kube.ServiceKind, In: in}, {Kind: kube.NetworkPolicyKind, In: in}, {Kind: kube.IngressKind, In: in},
		{Kind: EnvoyFilterKind, In: in}, {Kind: AuthorizationPolicyKind, In: in}, {Kind: RequestAuthenticationKind, In: in}, {Kind: wasmPluginKind, In: in},
		{Kind: kube.ConfigMapKind, In: cluster.Scope{Namespace: KubeflowNamespace, Metadata: true}},
		{Ref: cluster.Ref{APIVersion: "v1", Kind: kube.ConfigMapKind.Kind, Namespace: KubeflowNamespace, Name: "istio"}},
		{Kind: kube.NodeKind, In: systemNodes},
	}
	cluster.Ahead(ctx, view, append(questions, cluster.PolicyEngineQuestions()...)...)
}
