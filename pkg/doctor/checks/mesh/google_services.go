package mesh

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var GoogleServices = &doctor.Check{
	ID:    "mesh/google-services",
	Title: "Egress HTTPS reaches the right host",
	Why: "Kubeflow 1.2 installs two VirtualServices for Google APIs whose TLS match uses sni_hosts, where Istio expects sniHosts. From " +
		"Istio 1.4 on such a match applies to every host, so all HTTPS from pods with a sidecar (git clone, pip, data set downloads) " +
		"receives a certificate for *.googleapis.com. Newer Istio versions reject the object.",
	FixNote: "--fix renames the field to sniHosts and keeps its values.",
	Sources: []string{"kubeflow/kubeflow#5504", "kubeflow/manifests#1667"},
	Reads:   []schema.GroupKind{virtualServiceKind},
	Writes: []doctor.Write{{Kind: virtualServiceKind, In: []string{workloads.Namespace}, Edit: renameFields,
		Fields: []string{"/spec/tls/*/match/*/" + wrongField, "/spec/tls/*/match/*/" + rightField}}},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		services, err := e.List(ctx, virtualServiceKind, cluster.Scope{Namespace: workloads.Namespace})
		if err != nil {
			return nil, err
		}
		var wrong []*unstructured.Unstructured
		for _, s := range services {
			if slices.ContainsFunc(tlsMatches(s), usesWrongField) {
				wrong = append(wrong, s)
			}
		}
		if len(wrong) == 0 {
			return nil, nil
		}
		return []doctor.Finding{sniFinding(wrong)}, nil
	},
}

const wrongField, rightField = "sni_hosts", "sniHosts"

func usesWrongField(match map[string]any) bool {
	return match[wrongField] != nil && match[rightField] == nil
}

func tlsMatches(service *unstructured.Unstructured) []map[string]any {
	var matches []map[string]any
	for _, tls := range kube.Items(service.Object, "spec", "tls") {
		matches = append(matches, kube.Items(tls, "match")...)
	}
	return matches
}

func renameFields(service *unstructured.Unstructured) {
	for _, match := range tlsMatches(service) {
		if usesWrongField(match) {
			match[rightField] = match[wrongField]
			delete(match, wrongField)
		}
	}
}

func sniFinding(wrong []*unstructured.Unstructured) doctor.Finding {
	fix := &doctor.Fix{Title: "Rename sni_hosts to sniHosts", Impact: doctor.Safe}
	for _, s := range wrong {
		fix.Changes = append(fix.Changes, cluster.Edit(s, renameFields))
	}
	return doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(wrong[0]), Field: "spec.tls[0].match[0]"},
		Message:     fmt.Sprintf("egress HTTPS is captured by %s: %s", text.Plural(len(wrong), "VirtualService"), text.Names(wrong, text.Most, (*unstructured.Unstructured).GetName)),
		Consequence: "From Istio 1.4 on, every HTTPS call from a pod with a sidecar receives a certificate for *.googleapis.com.",
		Cause:       "The match uses sni_hosts; Istio reads sniHosts, finds none, and matches all traffic on port 443.",
		Command:     "kubectl edit virtualservice -n " + escape.Word(wrong[0].GetNamespace()) + " " + escape.Word(wrong[0].GetName()),
		Fix:         fix,
	}
}

var virtualServiceKind = schema.GroupKind{Group: "networking.istio.io", Kind: "VirtualService"}
