package explain

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// Gate explains why a gate is closed, down to the pods behind it:
// "webhook.cert-manager.io: Deployment cert-manager-webhook 0/1 ready, pulling image …".
func Gate(ctx context.Context, view cluster.View, g plan.Gate) string {
	name, why := g.On.String(), ""
	on, err := view.Get(ctx, g.On)
	switch {
	case apierrors.IsNotFound(err):
		why = "it does not exist yet"
	case err != nil:
		return g.String()
	case g.Kind == plan.NamespaceGate:
		why = BeingDeleted(on)
	case g.Kind == plan.KindGate:
		why = whyDefinition(on)
	case g.Kind == plan.APIGate:
		why = Object(ctx, view, on)
	default:
		name, why = WebhookName(on, g), Webhook(ctx, view, on, g)
	}
	if why == "" {
		return g.String()
	}
	return name + ": " + why
}

// WebhookName returns the name of the webhook behind a gate, as the API server's errors give it.
func WebhookName(on *unstructured.Unstructured, g plan.Gate) string {
	for _, w := range kube.Items(on.Object, "webhooks") {
		if CallsService(kube.Map(w, "clientConfig"), g.Service) {
			return kube.Text(w, "name")
		}
	}
	return "the conversion webhook of " + on.GetName()
}

func CallsService(client map[string]any, service cluster.Ref) bool {
	return kube.Text(client, "service", "name") == service.Name && kube.Text(client, "service", "namespace") == service.Namespace
}

// Webhook explains why a webhook does not respond: its Service has no ready endpoints, or its CA bundle is not injected yet.
func Webhook(ctx context.Context, view cluster.View, on *unstructured.Unstructured, g plan.Gate) string {
	if why := whyService(ctx, view, g.Service); why != "" {
		return why
	}
	for _, client := range ClientConfigs(on) {
		if CallsService(client, g.Service) && kube.Text(client, "caBundle") == "" {
			return withDetail("its certificate is not injected yet", whyCertificate(ctx, view, on))
		}
	}
	return ""
}

// ClientConfigs returns the clientConfigs of a webhook configuration, or of a CRD's conversion webhook.
func ClientConfigs(on *unstructured.Unstructured) []map[string]any {
	clients := []map[string]any{kube.Map(on.Object, "spec", "conversion", "webhook", "clientConfig"), kube.Map(on.Object, "spec", "conversion", "webhookClientConfig")}
	for _, w := range kube.Items(on.Object, "webhooks") {
		clients = append(clients, kube.Map(w, "clientConfig"))
	}
	return clients
}

// whyCertificate explains why the Certificate whose CA is to be injected into a webhook configuration is not ready.
func whyCertificate(ctx context.Context, view cluster.View, on *unstructured.Unstructured) string {
	namespace, name, found := strings.Cut(on.GetAnnotations()[plan.CertManagerGroup+"/inject-ca-from"], "/")
	if !found {
		return ""
	}
	ref := cluster.Ref{APIVersion: plan.CertManagerGroup + "/v1", Kind: "Certificate", Namespace: namespace, Name: name}
	if why := ByRef(ctx, view, ref); why != "" {
		return fmt.Sprintf("%s: %s", ref, why)
	}
	return ""
}

// whyService explains why a Service has no ready endpoints, "" when one of its workloads is ready or they cannot be read.
func whyService(ctx context.Context, view cluster.View, ref cluster.Ref) string {
	workloads, there, err := behind(ctx, view, ref)
	switch {
	case err != nil:
		return ""
	case !there:
		return fmt.Sprintf("%s does not exist", ref)
	case len(workloads) == 0:
		return fmt.Sprintf("no workload is behind %s", ref)
	}
	first := ""
	for _, o := range workloads {
		why := Object(ctx, view, o)
		if idle(o) {
			why = "is scaled to zero"
		}
		if why == "" {
			return ""
		}
		first = cmp.Or(first, fmt.Sprintf("%s %s %s", o.GetKind(), o.GetName(), why))
	}
	return first
}

// behind returns what a Service selects: workloads, or else pods without one. For a Service without a selector it returns the
// Service itself, because its endpoints are managed manually.
func behind(ctx context.Context, view cluster.View, ref cluster.Ref) (workloads []*unstructured.Unstructured, there bool, err error) {
	service, err := view.Get(ctx, ref)
	if err != nil {
		return nil, false, ignoreNotFound(err)
	}
	chosen, _, _ := unstructured.NestedStringMap(service.Object, "spec", "selector")
	if len(chosen) == 0 {
		return []*unstructured.Unstructured{service}, true, nil
	}
	for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet"} {
		list, err := view.List(ctx, schema.GroupKind{Group: "apps", Kind: kind}, cluster.Scope{Namespace: ref.Namespace})
		if err != nil {
			return nil, true, err
		}
		for _, o := range list {
			if labels.SelectorFromSet(chosen).Matches(labels.Set(plan.TemplateLabels(plan.PodTemplate(o)))) {
				workloads = append(workloads, o)
			}
		}
	}
	if len(workloads) > 0 {
		return workloads, true, nil
	}
	pods, err := view.List(ctx, kube.PodKind, cluster.Scope{Namespace: ref.Namespace, Labels: labels.SelectorFromSet(chosen).String()})
	return pods, true, err
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// idle reports whether a workload is scaled to zero.
func idle(o *unstructured.Unstructured) bool {
	return plan.PodTemplate(o) != nil && o.GetKind() != "Pod" && o.GetKind() != "DaemonSet" && orOne(o.Object, "spec", "replicas") == 0
}

// NoBackend reports whether a webhook cannot get a ready endpoint by itself: its Service is missing, or selects nothing that
// runs. ignored reports whether the webhook's failurePolicy lets the API server continue without it.
func NoBackend(ctx context.Context, view cluster.View, g plan.Gate) (noBackend, ignored bool) {
	workloads, _, err := behind(ctx, view, g.Service)
	if err != nil || slices.ContainsFunc(workloads, func(o *unstructured.Unstructured) bool { return !idle(o) }) {
		return false, false
	}
	on, err := view.Get(ctx, g.On)
	if err != nil {
		return false, false
	}
	hooks := slices.DeleteFunc(kube.Items(on.Object, "webhooks"), func(w map[string]any) bool { return !CallsService(kube.Map(w, "clientConfig"), g.Service) })
	return true, len(hooks) > 0 && !slices.ContainsFunc(hooks, func(w map[string]any) bool { return kube.Text(w, "failurePolicy") != "Ignore" })
}
