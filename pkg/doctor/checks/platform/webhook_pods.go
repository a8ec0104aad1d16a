package platform

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// podsIn returns the pods of a namespace; of manifests, what its workloads would create.
func podsIn(ctx context.Context, e doctor.Exam, namespace string, rendered bool) ([]*unstructured.Unstructured, error) {
	if rendered {
		return templatesIn(ctx, e, namespace)
	}
	return e.List(ctx, kube.PodKind, cluster.Scope{Namespace: namespace})
}

// templatesIn returns pods as the workloads of a namespace create them, also where they create none now.
func templatesIn(ctx context.Context, e doctor.Exam, namespace string) (pods []*unstructured.Unstructured, err error) {
	for _, kind := range []schema.GroupKind{kube.DeploymentKind, kube.StatefulSetKind, kube.DaemonSetKind} {
		list, err := e.List(ctx, kind, cluster.Scope{Namespace: namespace})
		if err != nil {
			return nil, err
		}
		for _, o := range list {
			pod := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Pod", "spec": kube.Map(o.Object, "spec", "template", "spec")}}
			set, _, _ := unstructured.NestedStringMap(o.Object, "spec", "template", "metadata", "labels")
			pod.SetLabels(set)
			pod.SetName(o.GetName())
			pods = append(pods, pod)
		}
	}
	return pods, nil
}

// othersIn returns the pods of a namespace that are not behind a Service, among them those of workloads that have none now.
func othersIn(ctx context.Context, e doctor.Exam, namespace string, selector map[string]string, pods []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	templates, err := templatesIn(ctx, e, namespace)
	behind := labels.SelectorFromSet(selector)
	return slices.DeleteFunc(slices.Concat(pods, templates), func(p *unstructured.Unstructured) bool {
		return behind.Matches(labels.Set(p.GetLabels()))
	}), err
}

// servesAny reports whether a policy selects one of some pods, as they are or once they have sidecars: it is not there for others alone.
func servesAny(p networkingv1.NetworkPolicy, pods []*unstructured.Unstructured) bool {
	return slices.ContainsFunc(pods, func(pod *unstructured.Unstructured) bool { return selects(p, withSidecar(pod)) })
}

// targetPort returns the port of a pod to which a port of its Service leads.
func targetPort(service, pod *unstructured.Unstructured, number int64) (dashboard.Port, bool) {
	for _, p := range kube.Items(service.Object, "spec", "ports") {
		if kube.Number(p, "port") != number {
			continue
		}
		switch target := p["targetPort"].(type) {
		case int64:
			return dashboard.Port{Number: int32(target)}, true
		case nil:
			return dashboard.Port{Number: int32(number)}, true
		case string:
			for _, c := range kube.Items(pod.Object, "spec", "containers") {
				for _, named := range kube.Items(c, "ports") {
					if kube.Text(named, "name") == target {
						return dashboard.Port{Number: int32(kube.Number(named, "containerPort")), Name: target}, true
					}
				}
			}
		}
	}
	return dashboard.Port{}, false
}

// admitsSystem reports whether a policy admits pods of kube-system to a port: on AKS the API server's connections come from there.
func admitsSystem(policies []networkingv1.NetworkPolicy, pod labels.Set, port dashboard.Port) bool {
	system := labels.Set{"kubernetes.io/metadata.name": "kube-system"}
	for _, p := range policies {
		opened := *p.DeepCopy()
		for i := range opened.Spec.Ingress {
			rule := &opened.Spec.Ingress[i]
			if slices.ContainsFunc(rule.From, func(peer networkingv1.NetworkPolicyPeer) bool {
				return peer.NamespaceSelector != nil && matchesLabels(peer.NamespaceSelector, system)
			}) {
				rule.From = nil
			}
		}
		if selects(opened, pod) && dashboard.Admits(opened, port) {
			return true
		}
	}
	return false
}

// meantFor reports whether a policy was meant for a pod behind the Service: it has the name of the Service, selects the labels that Istio adds
// with a sidecar, or selects by a value that is one of the pod's labels under another key.
func (c called) meantFor(p networkingv1.NetworkPolicy, pod *unstructured.Unstructured) bool {
	if p.Name == c.name || p.Name+"-service" == c.name || selects(p, withSidecar(pod)) {
		return true
	}
	values := slices.Collect(maps.Values(pod.GetLabels()))
	for _, value := range p.Spec.PodSelector.MatchLabels {
		if slices.Contains(values, value) {
			return true
		}
	}
	return false
}

// withSidecar returns the labels that a pod has once Istio added a sidecar, as its injection template says.
func withSidecar(pod *unstructured.Unstructured) labels.Set {
	own := labels.Set(pod.GetLabels())
	workload := pod.GetName() // of manifests
	for _, owner := range pod.GetOwnerReferences() {
		workload = strings.TrimSuffix(owner.Name, "-"+own["pod-template-hash"])
	}
	return labels.Merge(labels.Set{"service.istio.io/canonical-name": cmp.Or(own["app.kubernetes.io/name"], own["app"], workload)}, own)
}

func selects(p networkingv1.NetworkPolicy, pod labels.Set) bool {
	return matchesLabels(&p.Spec.PodSelector, pod)
}

func matchesLabels(selector *metav1.LabelSelector, set labels.Set) bool {
	matches, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && matches.Matches(set)
}
