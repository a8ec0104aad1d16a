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
	ControlPlaneLabel  = "control-plane"
)

// isEnforcerExpression reports whether an expression of a selector is the one that the AKS admissions enforcer adds.
func isEnforcerExpression(expression map[string]any) bool {
	return expression["key"] == ControlPlaneLabel && expression["operator"] == "DoesNotExist"
}

// Selects reports whether a webhook's namespaceSelector matches a namespace; if dropped, it ignores the enforcer's expression.
func Selects(webhook map[string]any, namespace *unstructured.Unstructured, dropped bool) (bool, error) {
	content, _, _ := unstructured.NestedMap(webhook, "namespaceSelector")
	if dropped {
		content = WithoutEnforcerExpression(content)
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

// WithoutEnforcerExpression returns a selector without the enforcer's expression.
func WithoutEnforcerExpression(selector map[string]any) map[string]any {
	expressions, found := selector["matchExpressions"].([]any)
	if !found {
		return selector
	}
	kept := slices.DeleteFunc(slices.Clone(expressions), func(item any) bool {
		m, ok := item.(map[string]any)
		return ok && isEnforcerExpression(m)
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

// HasEnforcerExpression reports whether a webhook's selector has the enforcer's expression.
func HasEnforcerExpression(webhook map[string]any) bool {
	return slices.ContainsFunc(kube.Items(webhook, "namespaceSelector", "matchExpressions"), isEnforcerExpression)
}

// ShipsExpression reports whether a webhook's manifest already contains the expression: KServe's pod mutator excludes itself that way.
func ShipsExpression(webhook map[string]any) bool {
	return strings.HasSuffix(kube.Text(webhook, "name"), ".pod-mutator")
}

// IsSidecarInjector reports whether a webhook is Istio's sidecar injector.
func IsSidecarInjector(webhook map[string]any) bool {
	return strings.HasSuffix(kube.Text(webhook, "name"), "sidecar-injector.istio.io")
}

// An Injection is whether new pods in a namespace get a sidecar, and if not, why not.
type Injection string

const (
	WillInject   Injection = ""
	NoInjector   Injection = "there is no sidecar injector"
	Excluded     Injection = "the injector is kept out of the namespace"
	NotRequested Injection = "the namespace does not request sidecars"
	NoEndpoints  Injection = "the injector has no ready endpoint"
)

// InjectionIn returns whether a new pod in a namespace would get a sidecar.
func InjectionIn(ctx context.Context, e doctor.Exam, namespace *unstructured.Unstructured) (Injection, error) {
	configurations, err := e.List(ctx, kube.MutatingWebhookConfigurationKind, cluster.Scope{})
	if err != nil {
		return "", err
	}
	verdict := NoInjector
	for _, configuration := range configurations {
		for _, webhook := range kube.Items(configuration.Object, "webhooks") {
			if !IsSidecarInjector(webhook) {
				continue
			}
			now, err := Selects(webhook, namespace, false)
			if err != nil {
				return "", err
			}
			if now {
				return EndpointsOf(ctx, e, webhook)
			}
			meant, err := Selects(webhook, namespace, true)
			if err != nil {
				return "", err
			}
			if meant {
				verdict = Excluded
			} else if verdict == NoInjector {
				verdict = NotRequested
			}
		}
	}
	return verdict, nil
}

// ServiceOf returns the Service of a webhook, nil if it does not exist. Most webhooks have theirs in a few namespaces, whose Services are
// listed once.
func ServiceOf(ctx context.Context, e doctor.Exam, webhook map[string]any) (*unstructured.Unstructured, error) {
	services, err := e.List(ctx, kube.ServiceKind, cluster.Scope{Namespace: kube.Text(webhook, "clientConfig", "service", "namespace")})
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(services, func(s *unstructured.Unstructured) bool {
		return s.GetName() == kube.Text(webhook, "clientConfig", "service", "name")
	})
	if i < 0 {
		return nil, nil
	}
	return services[i], nil
}

// EndpointsOf returns NoEndpoints if a webhook's Service has no ready endpoints. A webhook outside the cluster counts as available.
func EndpointsOf(ctx context.Context, e doctor.Exam, webhook map[string]any) (Injection, error) {
	namespace, name := kube.Text(webhook, "clientConfig", "service", "namespace"), kube.Text(webhook, "clientConfig", "service", "name")
	if name == "" {
		return WillInject, nil
	}
	endpoints, err := e.List(ctx, kube.EndpointSliceKind, cluster.Scope{Namespace: namespace})
	if err != nil {
		return "", err
	}
	if len(ReadyPods(endpoints, func(service string) bool { return service == name })) == 0 {
		return NoEndpoints, nil
	}
	return WillInject, nil
}

// ReadyPods returns the names of the ready pods behind the wanted services, by service.
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
