package platform

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/webhooks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var WebhookPolicies = &doctor.Check{
	ID:    "platform/webhook-policies",
	Title: "NetworkPolicies let the API server call webhooks",
	Why: "Where the cluster enforces NetworkPolicies, the pods of a webhook that a policy isolates answer the API server only if another policy admits it. " +
		"A policy that was meant to do so may select a label that the pods do not have, for example one that only Istio's sidecar injector writes. " +
		"Every object that the webhook should review is then rejected after a timeout (504).",
	FixNote: "--fix makes the policy that was meant for the webhook select the pods of its Service; install patches the manifests in the same way. If no policy " +
		"was meant for it, there is no automatic fix.",
	Sources: []string{"https://github.com/Azure/kubeflow-aks", "https://kubernetes.io/docs/concepts/services-networking/network-policies/"},
	Reads: []schema.GroupKind{kube.MutatingWebhookConfigurationKind, kube.ValidatingWebhookConfigurationKind, kube.ServiceKind, kube.PodKind,
		kube.NetworkPolicyKind, kube.DaemonSetKind, kube.DeploymentKind, kube.StatefulSetKind},
	Writes: []doctor.Write{{Kind: kube.NetworkPolicyKind, In: workloads.Namespaces, Fields: []string{"/spec/podSelector"}}},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		engine, err := cluster.PolicyEngine(ctx, e)
		if err != nil {
			return nil, err
		}
		var findings []doctor.Finding
		seen := map[string]bool{} // Services
		for _, kind := range []schema.GroupKind{kube.MutatingWebhookConfigurationKind, kube.ValidatingWebhookConfigurationKind} {
			configurations, err := e.List(ctx, kind, cluster.Scope{})
			if err != nil {
				return nil, err
			}
			for _, o := range configurations {
				if engine == "" && workloads.OnCluster(o) { // manifests must be right wherever they are applied
					return nil, doctor.Skip("nothing on the cluster enforces NetworkPolicies")
				}
				for _, w := range kube.Items(o.Object, "webhooks") {
					called := calledBy(w)
					if !workloads.IsSystem(called.namespace) || seen[called.String()] {
						continue
					}
					seen[called.String()] = true
					f, err := called.judge(ctx, e, o, engine)
					if err != nil {
						return nil, err
					}
					if f != nil {
						findings = append(findings, *f)
					}
				}
			}
		}
		return findings, nil
	},
}

// podsIn returns the pods of a namespace; of manifests, what its workloads would create.
func podsIn(ctx context.Context, e doctor.Exam, namespace string, rendered bool) ([]*unstructured.Unstructured, error) {
	if !rendered {
		return e.List(ctx, kube.PodKind, cluster.Scope{Namespace: namespace})
	}
	var pods []*unstructured.Unstructured
	for _, kind := range []schema.GroupKind{kube.DeploymentKind, kube.StatefulSetKind} {
		list, err := e.List(ctx, kind, cluster.Scope{Namespace: namespace})
		if err != nil {
			return nil, err
		}
		for _, o := range list {
			pod := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Pod", "spec": kube.Map(o.Object, "spec", "template", "spec")}}
			pod.SetLabels(stringsOf(kube.Map(o.Object, "spec", "template", "metadata", "labels")))
			pod.SetName(o.GetName())
			pods = append(pods, pod)
		}
	}
	return pods, nil
}

// A called Service is the one of a webhook.
type called struct {
	namespace, name string
	port            int64
	webhook         map[string]any
}

func calledBy(webhook map[string]any) called {
	c := called{kube.Text(webhook, "clientConfig", "service", "namespace"), kube.Text(webhook, "clientConfig", "service", "name"), kube.Number(webhook, "clientConfig", "service", "port"), webhook}
	if c.port == 0 {
		c.port = 443
	}
	return c
}

func (c called) String() string { return fmt.Sprintf("%s/%s:%d", c.namespace, c.name, c.port) }

// judge reports a webhook all of whose pods are closed to the API server.
func (c called) judge(ctx context.Context, e doctor.Exam, configuration *unstructured.Unstructured, engine string) (*doctor.Finding, error) {
	service, err := webhooks.ServiceOf(ctx, e, c.webhook)
	if err != nil || service == nil {
		return nil, err
	}
	pods, err := podsIn(ctx, e, c.namespace, engine == "")
	if err != nil {
		return nil, err
	}
	list, err := e.List(ctx, kube.NetworkPolicyKind, cluster.Scope{Namespace: c.namespace})
	if err != nil {
		return nil, err
	}
	var policies []networkingv1.NetworkPolicy
	for _, o := range list {
		typed, err := cluster.As[networkingv1.NetworkPolicy](o)
		if err != nil {
			return nil, err
		}
		policies = append(policies, *typed)
	}
	selector := stringsOf(kube.Map(service.Object, "spec", "selector"))
	var pod *unstructured.Unstructured
	var port dashboard.Port
	for _, p := range pods {
		if len(selector) == 0 || !workloads.IsActive(p) || !labels.SelectorFromSet(selector).Matches(labels.Set(p.GetLabels())) {
			continue
		}
		at, known := targetPort(service, p, c.port)
		if !known || len(dashboard.ClosedPorts(policies, p.GetLabels(), at)) == 0 || admitsSystem(policies, p.GetLabels(), at) {
			return nil, nil
		}
		pod, port = p, at
	}
	if pod == nil {
		return nil, nil
	}
	for i, p := range policies {
		if !selects(p, pod.GetLabels()) && dashboard.Admits(p, port) && c.meantFor(p, pod) {
			return c.mislabelled(configuration, service, list[i], selector, engine), nil
		}
	}
	if engine == "" {
		return nil, nil
	}
	return c.finding(configuration, service, pod, port, policies, engine), nil
}

func stringsOf(labels map[string]any) map[string]string {
	texts := map[string]string{}
	for key, value := range labels {
		texts[key] = fmt.Sprint(value)
	}
	return texts
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

// mislabelled reports a policy that was meant to admit the API server, and does not select the pods.
func (c called) mislabelled(configuration, service, policy *unstructured.Unstructured, selector map[string]string, engine string) *doctor.Finding {
	name := policy.GetNamespace() + "/" + policy.GetName()
	f := &doctor.Finding{
		Severity:    doctor.Warning,
		About:       doctor.Subject{Ref: cluster.RefOf(policy), Field: "spec.podSelector"},
		Message:     fmt.Sprintf("NetworkPolicies in namespace %s keep the API server from the pods of Service %s/%s, and %s enforces them", c.namespace, c.namespace, c.name, engine),
		Consequence: fmt.Sprintf("%s cannot be called: the objects that it should review are rejected after a timeout.", kube.KindName(configuration)),
		Cause:       fmt.Sprintf("NetworkPolicy %s would admit it, and selects labels that the pods do not have.", name),
		Advice:      "Make it select the labels that the Service selects.",
		Affects:     []cluster.Ref{cluster.RefOf(configuration), cluster.RefOf(service)},
		Fix: &doctor.Fix{
			Title:  fmt.Sprintf("Make NetworkPolicy %s select the pods of Service %s", name, c.name),
			Impact: doctor.Safe,
			Changes: []cluster.Change{cluster.Edit(policy, func(o *unstructured.Unstructured) {
				_ = unstructured.SetNestedMap(o.Object, map[string]any{"matchLabels": anyOf(selector)}, "spec", "podSelector")
			})},
		},
	}
	if engine == "" {
		f.Message = fmt.Sprintf("NetworkPolicies in namespace %s keep the API server from the pods of Service %s/%s, unless they have a sidecar", c.namespace, c.namespace, c.name)
		f.Cause = fmt.Sprintf("NetworkPolicy %s would admit it, and selects labels that the pods do not have in the manifests.", name)
		f.Consequence = fmt.Sprintf("Where NetworkPolicies are enforced, %s cannot be called: the objects that it should review are rejected after a timeout.", kube.KindName(configuration))
		return f
	}
	f.Command = escape.Commandf("kubectl patch networkpolicy -n %s %s --type=json -p %s", policy.GetNamespace(), policy.GetName(),
		fmt.Sprintf(`[{"op":"replace","path":"/spec/podSelector","value":{"matchLabels":%s}}]`, jsonOf(selector)))
	return f
}

func anyOf(labels map[string]string) map[string]any {
	values := map[string]any{}
	for key, value := range labels {
		values[key] = value
	}
	return values
}

// finding names a policy that isolates the pods.
func (c called) finding(configuration, service, pod *unstructured.Unstructured, port dashboard.Port, policies []networkingv1.NetworkPolicy, engine string) *doctor.Finding {
	f := &doctor.Finding{
		Severity:    doctor.Info, // whether an engine applies them to the API server's connections differs
		Message:     fmt.Sprintf("NetworkPolicies in namespace %s keep the API server from the pods of Service %s/%s, and %s enforces them", c.namespace, c.namespace, c.name, engine),
		Consequence: fmt.Sprintf("%s cannot be called: the objects that it should review are rejected after a timeout.", kube.KindName(configuration)),
		Advice:      "Admit all sources to the webhook's port.",
		Affects:     []cluster.Ref{cluster.RefOf(configuration), cluster.RefOf(service)},
	}
	for _, p := range policies {
		if len(dashboard.ClosedPorts([]networkingv1.NetworkPolicy{p}, pod.GetLabels(), port)) > 0 {
			f.About = policySubject(p)
		}
	}
	return f
}

func policySubject(p networkingv1.NetworkPolicy) doctor.Subject {
	return doctor.Subject{Ref: cluster.Ref{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy", Namespace: p.Namespace, Name: p.Name}, Field: "spec.podSelector"}
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

func jsonOf(set map[string]string) string {
	content, _ := json.Marshal(set) // of strings, which always can be written
	return string(content)
}
