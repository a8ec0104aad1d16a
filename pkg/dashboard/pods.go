package dashboard

import (
	"context"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// readPods reads the pods that serve the dashboard, and the Services in front of them.
func (g *Gateway) readPods(ctx context.Context, view cluster.View) (err error) {
	in := cluster.Scope{Namespace: g.Namespace(), Labels: labels.FormatLabels(g.Service.Spec.Selector)}
	if len(g.Service.Spec.Selector) > 0 { // without a selector its endpoints are managed manually, and its pods are not known
		if g.Pods, err = listed[corev1.Pod](ctx, view, kube.PodKind, in); err != nil {
			return err
		}
	}
	g.OtherPods, g.PodsUnread = g.readOthers(ctx, view)
	namespaces := []string{g.Namespace()}
	for _, pod := range g.OtherPods {
		if !slices.Contains(namespaces, pod.Namespace) {
			namespaces = append(namespaces, pod.Namespace)
		}
	}
	for _, namespace := range namespaces {
		all, err := listed[corev1.Service](ctx, view, kube.ServiceKind, cluster.Scope{Namespace: namespace})
		if err != nil {
			return err
		}
		for _, s := range all {
			switch {
			case s.Name == g.Service.Name && s.Namespace == g.Namespace() || g.inFrontOfPods(s):
				g.Services = append(g.Services, s)
			case len(s.Spec.Selector) == 0 && s.Spec.Type != corev1.ServiceTypeExternalName:
				g.unselecting = append(g.unselecting, s)
			}
		}
	}
	return nil
}

// readManual adds the Services without a selector, whose endpoints are managed manually, that lead to pods that serve the dashboard.
func (g *Gateway) readManual(ctx context.Context, view cluster.View) error {
	for _, s := range g.unselecting {
		if s.Spec.Type != corev1.ServiceTypeLoadBalancer && s.Spec.Type != corev1.ServiceTypeNodePort && len(s.Spec.ExternalIPs) == 0 {
			continue
		}
		in := cluster.Scope{Namespace: s.Namespace, Labels: discoveryv1.LabelServiceName + "=" + s.Name}
		endpoints, err := listed[discoveryv1.EndpointSlice](ctx, view, kube.EndpointSliceKind, in)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(endpoints, func(slice discoveryv1.EndpointSlice) bool {
			return slices.ContainsFunc(slice.Endpoints, func(e discoveryv1.Endpoint) bool { return slices.ContainsFunc(e.Addresses, g.hasAddress) })
		}) {
			g.Services = append(g.Services, s)
		}
	}
	return nil
}

// hasAddress reports whether an address is that of a pod that serves the dashboard, or of a Service in front of one.
func (g *Gateway) hasAddress(address string) bool {
	return slices.ContainsFunc(slices.Concat(g.Pods, g.OtherPods), func(p corev1.Pod) bool { return p.Status.PodIP == address }) ||
		slices.ContainsFunc(g.Services, func(s corev1.Service) bool { return s.Spec.ClusterIP == address })
}

// readOthers returns the pods of other gateways that serve the dashboard: Istio's Gateway selects pods in every namespace by their labels.
func (g *Gateway) readOthers(ctx context.Context, view cluster.View) ([]corev1.Pod, error) {
	selector, _, _ := unstructured.NestedStringMap(contentOf(g.IstioGateway), "spec", "selector")
	if len(selector) == 0 {
		return nil, nil // see unknownPods
	}
	pods, err := listed[corev1.Pod](ctx, view, kube.PodKind, cluster.Scope{Labels: labels.FormatLabels(selector)})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(pods, func(p corev1.Pod) bool {
		known := slices.ContainsFunc(g.Pods, func(q corev1.Pod) bool { return q.Namespace == p.Namespace && q.Name == p.Name })
		return known || !routes(p)
	}), nil
}

// routes reports whether a pod may be a gateway of the mesh: it runs Istio's proxy, and not as a sidecar.
func routes(pod corev1.Pod) bool {
	return slices.ContainsFunc(pod.Spec.Containers, func(c corev1.Container) bool {
		words := slices.Concat(c.Command, c.Args)
		return slices.Contains(words, "router") || c.Name == "istio-proxy" && !slices.Contains(words, "sidecar")
	})
}

// inFrontOfPods reports whether a Service selects pods that serve the dashboard.
func (g *Gateway) inFrontOfPods(s corev1.Service) bool {
	if len(s.Spec.Selector) == 0 {
		return false
	}
	return slices.ContainsFunc(g.podSets(), func(pods podSet) bool {
		return pods.namespace == s.Namespace && labels.SelectorFromSet(s.Spec.Selector).Matches(pods.labels)
	})
}

// hostPods returns the pods that serve the dashboard on a port of their node.
func (g Gateway) hostPods() []corev1.Pod {
	return slices.DeleteFunc(slices.Concat(g.Pods, g.OtherPods), func(p corev1.Pod) bool {
		return !p.Spec.HostNetwork && !slices.ContainsFunc(p.Spec.Containers, func(c corev1.Container) bool {
			return slices.ContainsFunc(c.Ports, func(port corev1.ContainerPort) bool { return port.HostPort != 0 })
		})
	})
}

// publicNodes returns why the ports of the nodes count as public: a node has a public address, or that is not known. "" if no port of a
// node leads to the dashboard.
func (g Gateway) publicNodes(ctx context.Context, view cluster.View) string {
	onNodes := slices.ContainsFunc(g.Services, func(s corev1.Service) bool { return s.Spec.Type == corev1.ServiceTypeNodePort && g.Serves(&s) })
	if !onNodes && len(g.hostPods()) == 0 {
		return ""
	}
	nodes, err := listed[corev1.Node](ctx, view, kube.NodeKind, cluster.NodeScope)
	if err != nil {
		return fmt.Sprintf("whether nodes have public addresses could not be read: %v", err)
	}
	for _, node := range nodes {
		for _, a := range node.Status.Addresses {
			isAddress := a.Type == corev1.NodeExternalIP || a.Type == corev1.NodeInternalIP
			if isAddress && a.Address != "" && !private(a.Address) {
				return fmt.Sprintf("node %s has the public address %s", node.Name, a.Address)
			}
		}
	}
	return ""
}

// unknownPods returns why it is not known which pods serve the dashboard; "" when it is.
func (g Gateway) unknownPods() string {
	switch selector, _, err := unstructured.NestedStringMap(contentOf(g.IstioGateway), "spec", "selector"); {
	case len(g.Service.Spec.Selector) == 0:
		return fmt.Sprintf("%s has no selector, so that it is not known which pods serve the dashboard", g.Ref())
	case err != nil || g.IstioGateway != nil && len(selector) == 0:
		return "Gateway kubeflow/kubeflow-gateway has no selector: every gateway of the mesh serves the dashboard"
	}
	return ""
}

// A podSet is pods with the same labels: Istio's objects apply to all of them or to none.
type podSet struct {
	namespace string
	labels    labels.Set
	name      string
	images    []string
}

func (p podSet) String() string { return p.namespace + "/" + p.name }

// podSets returns the sets of pods that serve the dashboard. While the gateway's Service has no pods, what it selects is the first.
func (g Gateway) podSets() []podSet {
	var sets []podSet
	for _, pod := range slices.Concat(g.Pods, g.OtherPods) {
		one := podSet{namespace: pod.Namespace, labels: pod.Labels, name: pod.Name}
		for _, c := range pod.Spec.Containers {
			one.images = append(one.images, c.Image)
		}
		if !slices.ContainsFunc(sets, func(s podSet) bool { return s.namespace == one.namespace && maps.Equal(s.labels, one.labels) }) {
			sets = append(sets, one)
		}
	}
	if len(g.Pods) == 0 {
		sets = slices.Insert(sets, 0, podSet{namespace: g.Namespace(), labels: g.Service.Spec.Selector, name: g.Service.Name})
	}
	return sets
}
