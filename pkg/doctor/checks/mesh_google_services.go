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

var googleServices = &doctor.Check{
	ID:    "mesh/google-services",
	Title: "outgoing HTTPS reaches whom it is meant for",
	Why: "Kubeflow 1.2 brings two VirtualServices for Google's APIs whose TLS match is spelled sni_hosts, where Istio reads sniHosts. From Istio 1.4 on such a match holds for every name, so " +
		"all HTTPS that leaves a pod with a sidecar (git clone, pip, the download of a data set) is answered with a certificate of *.googleapis.com. Still newer versions refuse the object.",
	Cure:    "--fix spells the field as Istio reads it, with the same names in it.",
	Sources: []string{"kubeflow/kubeflow#5504", "kubeflow/manifests#1667"},
	Reads:   []schema.GroupKind{virtualServiceKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		services, err := e.List(ctx, virtualServiceKind, cluster.Scope{Namespace: kubeflow})
		if err != nil {
			return nil, err
		}
		var wrong []*unstructured.Unstructured
		for _, s := range services {
			if slices.ContainsFunc(tlsMatches(s), misspelled) {
				wrong = append(wrong, s)
			}
		}
		if len(wrong) == 0 {
			return nil, nil
		}
		return []doctor.Finding{judgeGoogle(wrong)}, nil
	},
}

const misspelling, spelling = "sni_hosts", "sniHosts"

func misspelled(match map[string]any) bool {
	return match[misspelling] != nil && match[spelling] == nil
}

func tlsMatches(service *unstructured.Unstructured) []map[string]any {
	var matches []map[string]any
	for _, tls := range items(service.Object, "spec", "tls") {
		matches = append(matches, items(tls, "match")...)
	}
	return matches
}

func judgeGoogle(wrong []*unstructured.Unstructured) doctor.Finding {
	fix := &doctor.Fix{Title: "Spell sniHosts as Istio reads it", Impact: doctor.Safe}
	for _, s := range wrong {
		fix.Changes = append(fix.Changes, cluster.Edit(s, func(o *unstructured.Unstructured) {
			for _, match := range tlsMatches(o) {
				if misspelled(match) {
					match[spelling] = match[misspelling]
					delete(match, misspelling)
				}
			}
		}))
	}
	return doctor.Finding{
		Severity: doctor.Error,
		About:    doctor.Subject{Ref: cluster.RefOf(wrong[0]), Field: "spec.tls[0].match[0]"},
		Message: fmt.Sprintf("%s of all outgoing HTTPS: %s", map[bool]string{true: "a VirtualService takes hold", false: "VirtualServices take hold"}[len(wrong) == 1],
			names(wrong, (*unstructured.Unstructured).GetName)),
		Consequence: "From Istio 1.4 on every HTTPS call from a pod with a sidecar is answered with a certificate of *.googleapis.com.",
		Cause:       "Their match is spelled sni_hosts; Istio reads sniHosts, finds none, and matches everything on port 443.",
		Command:     "kubectl edit virtualservice -n " + wrong[0].GetNamespace() + " " + wrong[0].GetName(),
		Fix:         fix,
	}
}
