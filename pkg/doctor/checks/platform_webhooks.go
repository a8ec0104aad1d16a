package checks

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

const webhooksID = "platform/webhooks"

var answeredWebhooks = &doctor.Check{
	ID:    webhooksID,
	Title: "somebody answers for every webhook of Kubeflow",
	Why: "The API server asks Kubeflow's webhooks before it makes pods, notebooks and pipelines' objects. Where nobody answers, all of these are refused, in every namespace that the webhook is " +
		"for; upgrades leave such webhooks behind when they rename what answered.",
	Cure:    "Nothing by itself: a webhook whose Service is gone for good can be deleted with the command of the finding; else its pods have to run.",
	Sources: []string{"kubeflow/manifests#2660", "kubeflow/manifests#2689"},
	Reads:   []schema.GroupKind{mutatingKind, validatingKind, serviceKind, endpointSliceKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		var findings []doctor.Finding
		for _, kind := range []schema.GroupKind{mutatingKind, validatingKind} {
			configurations, err := e.List(ctx, kind, cluster.Scope{})
			if err != nil {
				return nil, err
			}
			for _, o := range configurations {
				f, err := judgeAnswer(ctx, e, o)
				if err != nil {
					return nil, err
				}
				findings = append(findings, f...)
			}
		}
		return findings, nil
	},
}

// judgeAnswer makes at most one finding of a configuration: all of its webhooks have one Service, as a rule.
func judgeAnswer(ctx context.Context, e doctor.Exam, o *unstructured.Unstructured) ([]doctor.Finding, error) {
	for i, w := range items(o.Object, "webhooks") {
		namespace, name := text(w, "clientConfig", "service", "namespace"), text(w, "clientConfig", "service", "name")
		if name == "" || !slices.Contains(ownNamespaces, namespace) {
			continue
		}
		if o.GetUID() == "" { // not on a cluster yet: no pod can be behind it, but its Service should come with it
			service, err := find(ctx, e, cluster.Ref{APIVersion: "v1", Kind: serviceKind.Kind, Namespace: namespace, Name: name})
			if err != nil {
				return nil, err
			}
			if service == nil {
				return []doctor.Finding{unanswered(o, w, i, false)}, nil
			}
			continue
		}
		state, err := served(ctx, e, w)
		if err != nil || state == willInject {
			if err != nil {
				return nil, err
			}
			continue
		}
		services, err := e.List(ctx, serviceKind, cluster.Scope{Namespace: namespace})
		if err != nil {
			return nil, err
		}
		there := slices.ContainsFunc(services, func(s *unstructured.Unstructured) bool { return s.GetName() == name })
		return []doctor.Finding{unanswered(o, w, i, there)}, nil
	}
	return nil, nil
}

func unanswered(o *unstructured.Unstructured, webhook map[string]any, i int, there bool) doctor.Finding {
	namespace, name := text(webhook, "clientConfig", "service", "namespace"), text(webhook, "clientConfig", "service", "name")
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(o), Field: fmt.Sprintf("webhooks[%d].clientConfig.service", i)},
		Message:     fmt.Sprintf("nobody answers for webhook %s: Service %s/%s has no ready pod", o.GetName(), namespace, name),
		Consequence: "Everything that the API server asks it about is refused.",
		Advice:      "See what the pods of that Service wait for.",
		Command:     fmt.Sprintf("kubectl describe service -n %s %s", namespace, name),
	}
	if !there {
		f.Message = fmt.Sprintf("nobody answers for webhook %s: there is no Service %s/%s", o.GetName(), namespace, name)
		f.Advice = "If an upgrade renamed it, delete what is left of the old one; else install again."
		f.Command = fmt.Sprintf("kubectl delete %s %s", map[bool]string{true: "mutatingwebhookconfiguration", false: "validatingwebhookconfiguration"}[o.GetKind() == mutatingKind.Kind], o.GetName())
	}
	if text(webhook, "failurePolicy") == "Ignore" {
		f.Severity, f.Consequence = doctor.Warning, "What it would have done to new objects is not done."
	}
	return f
}
