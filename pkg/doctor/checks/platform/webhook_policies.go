package platform

import (
	"context"
	"encoding/json"
	"fmt"

	networkingv1 "k8s.io/api/networking/v1"
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
	selector, _, _ := unstructured.NestedStringMap(service.Object, "spec", "selector")
	if len(selector) == 0 {
		return nil, nil
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
	var pod *unstructured.Unstructured
	var port dashboard.Port
	for _, p := range pods {
		if !workloads.IsActive(p) || !labels.SelectorFromSet(selector).Matches(labels.Set(p.GetLabels())) {
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
	others, err := othersIn(ctx, e, c.namespace, selector, pods)
	if err != nil {
		return nil, err
	}
	for i, p := range policies {
		if !selects(p, pod.GetLabels()) && dashboard.Admits(p, port) && c.meantFor(p, pod) && !servesAny(p, others) {
			return c.mislabelled(configuration, service, list[i], selector, engine), nil
		}
	}
	if engine == "" {
		return nil, nil
	}
	return c.finding(configuration, service, pod, port, policies, engine), nil
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
				unstructured.RemoveNestedField(o.Object, "spec", "podSelector")
				_ = unstructured.SetNestedStringMap(o.Object, selector, "spec", "podSelector", "matchLabels")
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

func jsonOf(set map[string]string) string {
	content, _ := json.Marshal(set) // of strings, which always can be written
	return string(content)
}
