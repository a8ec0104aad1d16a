package platform

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/webhooks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

const webhooksID = "platform/webhooks"

var Webhooks = &doctor.Check{
	ID:    webhooksID,
	Title: "All webhooks have ready endpoints",
	Why: "The API server calls Kubeflow's webhooks before it creates pods, notebooks and pipeline objects. If a webhook has no ready " +
		"endpoints, all of these are rejected in every namespace that it selects. Upgrades leave such webhooks behind when they rename the " +
		"Service.",
	FixNote: "No automatic fix: delete a webhook whose Service is gone for good with the finding's command; otherwise get its pods running.",
	Sources: []string{"kubeflow/manifests#2660", "kubeflow/manifests#2689"},
	Reads:   []schema.GroupKind{kube.MutatingWebhookConfigurationKind, kube.ValidatingWebhookConfigurationKind, kube.ServiceKind, kube.EndpointSliceKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		var findings []doctor.Finding
		for _, kind := range []schema.GroupKind{kube.MutatingWebhookConfigurationKind, kube.ValidatingWebhookConfigurationKind} {
			configurations, err := e.List(ctx, kind, cluster.Scope{})
			if err != nil {
				return nil, err
			}
			for _, o := range configurations {
				f, err := webhookFindings(ctx, e, o)
				if err != nil {
					return nil, err
				}
				findings = append(findings, f...)
			}
		}
		return findings, nil
	},
}

// webhookFindings returns at most one finding per configuration: its webhooks usually share one Service.
func webhookFindings(ctx context.Context, e doctor.Exam, o *unstructured.Unstructured) ([]doctor.Finding, error) {
	for i, w := range kube.Items(o.Object, "webhooks") {
		namespace, name := kube.Text(w, "clientConfig", "service", "namespace"), kube.Text(w, "clientConfig", "service", "name")
		if name == "" || !slices.Contains(workloads.Namespaces, namespace) {
			continue
		}
		if o.GetUID() == "" { // not on a cluster yet: there are no pods, but the manifests should include its Service
			service, err := workloads.Find(ctx, e, cluster.Ref{APIVersion: "v1", Kind: kube.ServiceKind.Kind, Namespace: namespace, Name: name})
			if err != nil {
				return nil, err
			}
			if service == nil {
				return []doctor.Finding{noEndpointsFinding(o, w, i, false)}, nil
			}
			continue
		}
		state, err := webhooks.EndpointsOf(ctx, e, w)
		if err != nil || state == webhooks.WillInject {
			if err != nil {
				return nil, err
			}
			continue
		}
		services, err := e.List(ctx, kube.ServiceKind, cluster.Scope{Namespace: namespace})
		if err != nil {
			return nil, err
		}
		there := slices.ContainsFunc(services, func(s *unstructured.Unstructured) bool { return s.GetName() == name })
		return []doctor.Finding{noEndpointsFinding(o, w, i, there)}, nil
	}
	return nil, nil
}

func noEndpointsFinding(o *unstructured.Unstructured, webhook map[string]any, i int, there bool) doctor.Finding {
	namespace, name := kube.Text(webhook, "clientConfig", "service", "namespace"), kube.Text(webhook, "clientConfig", "service", "name")
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(o), Field: fmt.Sprintf("webhooks[%d].clientConfig.service", i)},
		Message:     fmt.Sprintf("%s has no ready endpoints: Service %s/%s has no ready pod", kube.KindName(o), namespace, name),
		Consequence: "The API server rejects every object that the webhook should review.",
		Advice:      "Check why the pods of that Service are not ready.",
		Command:     fmt.Sprintf("kubectl describe service -n %s %s", escape.Word(namespace), escape.Word(name)),
	}
	if !there {
		f.Message = fmt.Sprintf("%s has no endpoints: Service %s/%s does not exist", kube.KindName(o), namespace, name)
		f.Advice = "If an upgrade renamed the Service, delete the old webhook configuration; otherwise install again."
		f.Command = fmt.Sprintf("kubectl delete %s %s", escape.Word(strings.ToLower(o.GetKind())), escape.Word(o.GetName()))
	}
	if kube.Text(webhook, "failurePolicy") == "Ignore" {
		f.Severity, f.Consequence = doctor.Warning, "New objects are created without its validation or changes."
	}
	return f
}
