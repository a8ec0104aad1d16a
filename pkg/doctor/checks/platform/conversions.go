package platform

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/webhooks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

// conversionFindings judges the webhooks that convert objects from one version of their kind to another, on a cluster. One whose Service does
// not exist may be left over from an earlier release: references/names tells them apart.
func conversionFindings(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
	definitions, err := workloads.ListIfKnown(ctx, e, kube.CustomResourceDefinitionKind, workloads.EveryDefinition)
	if err != nil {
		return nil, err
	}
	var findings []doctor.Finding
	for _, o := range definitions {
		webhook := conversionOf(o)
		namespace, name := kube.Text(webhook, "clientConfig", "service", "namespace"), kube.Text(webhook, "clientConfig", "service", "name")
		if !workloads.OnCluster(o) || name == "" || !workloads.IsSystem(namespace) || len(kube.Items(o.Object, "spec", "versions")) < 2 {
			continue
		}
		service, err := webhooks.ServiceOf(ctx, e, webhook)
		if err != nil {
			return nil, err
		}
		if service == nil {
			continue
		}
		state, err := webhooks.EndpointsOf(ctx, e, webhook)
		if err != nil {
			return nil, err
		}
		if state == webhooks.WillInject {
			continue
		}
		findings = append(findings, doctor.Finding{
			Severity:    doctor.Error,
			About:       doctor.Subject{Ref: cluster.RefOf(o), Field: "spec.conversion.webhook.clientConfig.service"},
			Message:     fmt.Sprintf("%s cannot be converted: Service %s/%s has no ready pod", kube.KindName(o), namespace, name),
			Consequence: "Objects of this kind cannot be read or written at other versions than the stored one, and a list of them fails.",
			Advice:      "Check why the pods of that Service are not ready.",
			Command:     escape.Commandf("kubectl describe service -n %s %s", namespace, name),
			Needs:       []cluster.Ref{{APIVersion: "v1", Kind: "Service", Namespace: namespace, Name: name}},
		})
	}
	return findings, nil
}

// conversionOf returns the webhook of a CustomResourceDefinition as those of admission have it; nil if there is none.
func conversionOf(definition *unstructured.Unstructured) map[string]any {
	if kube.Text(definition.Object, "spec", "conversion", "strategy") != "Webhook" {
		return nil
	}
	if webhook := kube.Map(definition.Object, "spec", "conversion", "webhook"); webhook != nil {
		return webhook
	}
	return map[string]any{"clientConfig": kube.Map(definition.Object, "spec", "conversion", "webhookClientConfig")} // of v1beta1
}
