package platform

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

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
	FixNote: "No automatic fix: the policy belongs to the release. The finding has the command that makes it select the webhook's pods.",
	Sources: []string{"https://github.com/Azure/kubeflow-aks", "https://kubernetes.io/docs/concepts/services-networking/network-policies/"},
	Reads: []schema.GroupKind{kube.MutatingWebhookConfigurationKind, kube.ValidatingWebhookConfigurationKind, kube.ServiceKind, kube.PodKind,
		kube.NetworkPolicyKind, kube.DaemonSetKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		engine, err := cluster.PolicyEngine(ctx, e)
		if err != nil {
			return nil, err
		}
		if engine == "" {
			return nil, doctor.Skip("nothing on the cluster enforces NetworkPolicies")
		}
		var findings []doctor.Finding
		seen := map[string]bool{} // Services
		for _, kind := range []schema.GroupKind{kube.MutatingWebhookConfigurationKind, kube.ValidatingWebhookConfigurationKind} {
			configurations, err := e.List(ctx, kind, cluster.Scope{})
			if err != nil {
				return nil, err
			}
			for _, o := range configurations {
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
	pods, err := e.List(ctx, kube.PodKind, cluster.Scope{Namespace: c.namespace})
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
	selector := selectorOfService(service)
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
	return c.finding(configuration, service, pod, port, policies, engine), nil
}

func selectorOfService(service *unstructured.Unstructured) map[string]string {
	selector := map[string]string{}
	for key, value := range kube.Map(service.Object, "spec", "selector") {
		selector[key] = fmt.Sprint(value)
	}
	return selector
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

// finding names the policy that was meant to admit the API server, or one that isolates the pods.
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
	for _, p := range policies {
		if selects(p, pod.GetLabels()) || !dashboard.Admits(p, port) || !matchesSome(p, c.name, pod) {
			continue
		}
		f.Severity, f.About = doctor.Warning, policySubject(p)
		f.Cause = fmt.Sprintf("NetworkPolicy %s/%s would admit it, and selects labels that the pods do not have.", p.Namespace, p.Name)
		f.Advice = "Make it select the labels that the Service selects."
		f.Command = escape.Commandf("kubectl patch networkpolicy -n %s %s --type=json -p %s", p.Namespace, p.Name,
			fmt.Sprintf(`[{"op":"replace","path":"/spec/podSelector","value":{"matchLabels":%s}}]`, jsonOf(selectorOfService(service))))
		break
	}
	return f
}

func policySubject(p networkingv1.NetworkPolicy) doctor.Subject {
	return doctor.Subject{Ref: cluster.Ref{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy", Namespace: p.Namespace, Name: p.Name}, Field: "spec.podSelector"}
}

// matchesSome reports whether a policy was meant for the pods of a Service: it has the name of the Service, or selects by a value that is one of
// their labels under another key.
func matchesSome(p networkingv1.NetworkPolicy, service string, pod *unstructured.Unstructured) bool {
	values := slices.Collect(maps.Values(pod.GetLabels()))
	for _, value := range p.Spec.PodSelector.MatchLabels {
		if slices.Contains(values, value) {
			return true
		}
	}
	return p.Name == service
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
