package plan

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A webhook is one entry of an admission webhook configuration, as far as it decides which objects wait for it.
type webhook struct {
	Gate       Gate
	mutating   bool
	rules      []rule
	namespaces labels.Selector
	objects    labels.Selector
}

type rule struct {
	groups, versions, resources, operations []string
	scope                                   string
	anyVersion                              bool // matchPolicy Equivalent: another version of the same resource matches too
}

// Webhooks returns the webhooks of a configuration that have a Service. One outside the cluster has no readiness to wait for.
func Webhooks(configuration *unstructured.Unstructured) []webhook {
	var out []webhook
	for _, w := range kube.Items(configuration.Object, "webhooks") {
		gate, ok := gateFor(cluster.RefOf(configuration).Identity(), kube.Map(w, "clientConfig"))
		if !ok {
			continue
		}
		equivalent := kube.Text(w, "matchPolicy") == "Equivalent" ||
			kube.Text(w, "matchPolicy") == "" && configuration.GroupVersionKind().Version == "v1"
		hook := webhook{
			Gate: gate, mutating: configuration.GetKind() == kube.MutatingWebhookConfigurationKind.Kind,
			namespaces: Selector(kube.Map(w, "namespaceSelector")), objects: Selector(kube.Map(w, "objectSelector")),
		}
		for _, r := range kube.Items(w, "rules") {
			hook.rules = append(hook.rules, rule{
				groups: kube.Texts(r, "apiGroups"), versions: kube.Texts(r, "apiVersions"), resources: kube.Texts(r, "resources"),
				operations: kube.Texts(r, "operations"), scope: kube.Text(r, "scope"), anyVersion: equivalent,
			})
		}
		out = append(out, hook)
	}
	return out
}

// gateFor returns the gate of a webhook's clientConfig. A webhook that is reached through the API server, as an aggregated
// API, waits for that API.
func gateFor(on cluster.Ref, client map[string]any) (Gate, bool) {
	service := kube.Map(client, "service")
	if service == nil {
		return Gate{}, false
	}
	ref := cluster.Ref{Kind: "Service", Namespace: kube.Text(service, "namespace"), Name: kube.Text(service, "name")}
	if ref.Namespace == "default" && ref.Name == "kubernetes" {
		parts := strings.Split(strings.Trim(kube.Text(service, "path"), "/"), "/")
		if len(parts) < 3 || parts[0] != "apis" {
			return Gate{}, false
		}
		api := cluster.Ref{APIVersion: kube.APIServiceKind.Group + "/", Kind: kube.APIServiceKind.Kind, Name: parts[2] + "." + parts[1]}
		return Gate{Kind: APIGate, On: api}, true
	}
	return Gate{Kind: WebhookGate, On: on, Service: ref}, true
}

// A subject is what a webhook can match: an object of the plan, or the pods that it will create.
type subject struct {
	kind            schema.GroupVersionKind
	resource        string
	namespaced      bool
	labels          labels.Set
	namespaceLabels labels.Set
}

// matches reports whether the API server calls the webhook when a subject is created or changed.
func (w webhook) matches(s subject) bool {
	if s.kind.Group == kube.MutatingWebhookConfigurationKind.Group {
		return false // the API server never calls webhooks for webhook configurations
	}
	if s.namespaced || s.kind.GroupKind() == kube.NamespaceKind {
		if !w.namespaces.Matches(s.namespaceLabels) {
			return false
		}
	}
	return w.objects.Matches(s.labels) && slices.ContainsFunc(w.rules, func(r rule) bool { return r.matches(s) })
}

func (r rule) matches(s subject) bool {
	has := func(list []string, value string) bool {
		return slices.Contains(list, "*") || slices.Contains(list, value)
	}
	return has(r.groups, s.kind.Group) &&
		(r.anyVersion || has(r.versions, s.kind.Version)) &&
		(has(r.resources, s.resource) || slices.Contains(r.resources, "*/*")) &&
		(has(r.operations, "CREATE") || has(r.operations, "UPDATE")) &&
		(r.scope == "" || r.scope == "*" || (r.scope == "Namespaced") == s.namespaced)
}

// Selector parses a label selector. An invalid one matches everything: an unneeded gate does no harm.
func Selector(field map[string]any) labels.Selector {
	if field == nil {
		return labels.Everything()
	}
	var s metav1.LabelSelector
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(field, &s); err != nil {
		return labels.Everything()
	}
	out, err := metav1.LabelSelectorAsSelector(&s)
	if err != nil {
		return labels.Everything()
	}
	return out
}
