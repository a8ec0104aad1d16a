package tenancy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// profileQuota is the ResourceQuota that Kubeflow creates from a Profile's resourceQuotaSpec.
const profileQuota = "kf-resource-quota"

var Quotas = &doctor.Check{
	ID:    "tenancy/quotas",
	Title: "No profile namespace has exhausted its quota",
	Why: "A Profile can limit the resources of its namespace. When the limit is reached, notebooks and pipeline steps are not created: the " +
		"page shows nothing, and the reason is only in an event, \"exceeded quota\".",
	FixNote: "No automatic fix: you decide how much a user may use. Raise spec.resourceQuotaSpec of the Profile, or stop what is no longer needed.",
	Reach:   doctor.AlsoOneNamespace,
	Reads:   []schema.GroupKind{kube.ResourceQuotaKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		list, err := e.List(ctx, kube.ResourceQuotaKind, cluster.Scope{Fields: "metadata.name=" + profileQuota})
		if err != nil {
			return nil, err
		}
		var findings []doctor.Finding
		for _, q := range list {
			if full := exhausted(q); len(full) > 0 {
				f := quotaFinding(q, full)
				if e.Namespace != "" {
					f.Advice, f.Command = "Stop what is no longer needed. Only an administrator can raise spec.resourceQuotaSpec of the Profile.", ""
				}
				findings = append(findings, f)
			}
		}
		return findings, nil
	},
}

// exhausted returns the resources that a quota has used up: "requests.cpu (4 of 4)". A limit of zero counts as intended.
func exhausted(quota *unstructured.Unstructured) []string {
	hard, _, _ := unstructured.NestedMap(quota.Object, "status", "hard")
	used, _, _ := unstructured.NestedMap(quota.Object, "status", "used")
	var full []string
	for name, value := range hard {
		most, err := resource.ParseQuantity(fmt.Sprint(value))
		if err != nil || most.IsZero() {
			continue
		}
		now, err := resource.ParseQuantity(fmt.Sprint(used[name]))
		if err == nil && now.Cmp(most) >= 0 {
			full = append(full, fmt.Sprintf("%s (%v of %v)", name, used[name], value))
		}
	}
	slices.Sort(full)
	return full
}

func quotaFinding(quota *unstructured.Unstructured, full []string) doctor.Finding {
	return doctor.Finding{
		Severity:    doctor.Warning,
		About:       doctor.Subject{Ref: cluster.RefOf(quota), Field: "status.used"},
		Message:     fmt.Sprintf("Namespace %s has exhausted its quota: %s", quota.GetNamespace(), strings.Join(full, ", ")),
		Consequence: "Notebooks and pipeline steps that need more are not created.",
		Advice:      "Raise spec.resourceQuotaSpec of the Profile, or stop what is no longer needed.",
		Command:     "kubectl edit profile " + escape.Word(quota.GetNamespace()),
	}
}
