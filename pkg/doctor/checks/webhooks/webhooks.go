package webhooks

import (
	"context"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

const (
	EnforcerAnnotation = "admissions.enforcer/disabled"
	ControlPlane       = "control-plane"
)

// enforced tells whether an expression of a selector is the one that AKS's admissions enforcer adds.
func enforced(expression map[string]any) bool {
	return expression["key"] == ControlPlane && expression["operator"] == "DoesNotExist"
}

// Selects tells whether a webhook's namespaceSelector matches a namespace; without regard to the enforcer's expression if dropped.
func Selects(webhook map[string]any, namespace *unstructured.Unstructured, dropped bool) (bool, error) {
	content, _, _ := unstructured.NestedMap(webhook, "namespaceSelector")
	if dropped {
		content = WithoutEnforced(content)
	}
	var selector metav1.LabelSelector
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, &selector); err != nil {
		return false, fmt.Errorf("reading the selector of webhook %v: %w", webhook["name"], err)
	}
	matches, err := metav1.LabelSelectorAsSelector(&selector)
	if err != nil {
		return false, fmt.Errorf("reading the selector of webhook %v: %w", webhook["name"], err)
	}
	all := labels.Set(namespace.GetLabels())
	if all["kubernetes.io/metadata.name"] == "" { // the server sets it; manifests do not have it
		all = labels.Merge(all, labels.Set{"kubernetes.io/metadata.name": namespace.GetName()})
	}
	return matches.Matches(all), nil
}

// WithoutEnforced returns a selector without the enforcer's expression.
func WithoutEnforced(selector map[string]any) map[string]any {
	expressions, found := selector["matchExpressions"].([]any)
	if !found {
		return selector
	}
	kept := slices.DeleteFunc(slices.Clone(expressions), func(item any) bool {
		m, ok := item.(map[string]any)
		return ok && enforced(m)
	})
	out := map[string]any{}
	for key, value := range selector {
		out[key] = value
	}
	if out["matchExpressions"] = kept; len(kept) == 0 {
		delete(out, "matchExpressions")
	}
	return out
}

// HasEnforced tells whether a webhook's selector has the enforcer's expression.
func HasEnforced(webhook map[string]any) bool {
	return slices.ContainsFunc(kube.Items(webhook, "namespaceSelector", "matchExpressions"), enforced)
}

// Ships tells whether a webhook has the enforcer's expression of its own accord: KServe's pod mutator does, so as not to act on itself.
func Ships(webhook map[string]any) bool {
	return strings.HasSuffix(kube.Text(webhook, "name"), ".pod-mutator")
}

// Injects tells whether a webhook is Istio's that adds the proxy to pods.
func Injects(webhook map[string]any) bool {
	return strings.HasSuffix(kube.Text(webhook, "name"), "sidecar-injector.istio.io")
}

// An Injection says whether pods made in a namespace get a proxy, and if not, why not.
type Injection string

const (
	WillInject Injection = ""
	NoInjector Injection = "there is no sidecar injector"
	Excluded   Injection = "the injector is kept out of the namespace"
	NotAsked   Injection = "the namespace does not request sidecars"
	NotServed  Injection = "the injector has no ready endpoint"
)

// InjectionIn decides what happens to a pod made in a namespace.
func InjectionIn(ctx context.Context, e doctor.Exam, namespace *unstructured.Unstructured) (Injection, error) {
	configurations, err := e.List(ctx, kube.MutatingWebhookConfigurationKind, cluster.Scope{})
	if err != nil {
		return "", err
	}
	verdict := NoInjector
	for _, configuration := range configurations {
		for _, webhook := range kube.Items(configuration.Object, "webhooks") {
			if !Injects(webhook) {
				continue
			}
			now, err := Selects(webhook, namespace, false)
			if err != nil {
				return "", err
			}
			if now {
				return Served(ctx, e, webhook)
			}
			meant, err := Selects(webhook, namespace, true)
			if err != nil {
				return "", err
			}
			if meant {
				verdict = Excluded
			} else if verdict == NoInjector {
				verdict = NotAsked
			}
		}
	}
	return verdict, nil
}

// Served tells whether somebody answers for a webhook. One outside the cluster is taken to answer.
func Served(ctx context.Context, e doctor.Exam, webhook map[string]any) (Injection, error) {
	namespace, name := kube.Text(webhook, "clientConfig", "service", "namespace"), kube.Text(webhook, "clientConfig", "service", "name")
	if name == "" {
		return WillInject, nil
	}
	slices, err := e.List(ctx, kube.EndpointSliceKind, cluster.Scope{Namespace: namespace})
	if err != nil {
		return "", err
	}
	if len(ReadyPods(slices, func(service string) bool { return service == name })) == 0 {
		return NotServed, nil
	}
	return WillInject, nil
}

// ReadyPods returns the names of the ready pods behind the services of a namespace that are wanted, by service.
func ReadyPods(slices []*unstructured.Unstructured, wanted func(service string) bool) map[string][]string {
	ready := map[string][]string{}
	for _, slice := range slices {
		service := slice.GetLabels()["kubernetes.io/service-name"]
		if !wanted(service) {
			continue
		}
		for _, endpoint := range kube.Items(slice.Object, "endpoints") {
			up, set, _ := unstructured.NestedBool(endpoint, "conditions", "ready")
			if (up || !set) && kube.Text(endpoint, "targetRef", "kind") == "Pod" {
				ready[service] = append(ready[service], kube.Text(endpoint, "targetRef", "name"))
			}
		}
	}
	return ready
}
