package checks

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var leftOvers = &doctor.Check{
	ID:    "upgrades/left-overs",
	Title: "nothing of an older release's sign-in is left",
	Why: "Up to Kubeflow 1.8 authservice asks visitors to sign in, from 1.9 on oauth2-proxy does. Upgrading by kubectl apply deletes nothing: where both stand in front of the gateway, a visitor is " +
		"sent from one to the other and never arrives.",
	Cure:    "--fix deletes the EnvoyFilter and the StatefulSet of authservice where oauth2-proxy has taken over. Its volume is kept. --undo makes them again.",
	Sources: []string{"https://github.com/kubeflow/community-distribution/blob/master/README.md"},
	Reads:   []schema.GroupKind{envoyFilterKind, authorizationKind, statefulSetKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		policies, err := atGateway(ctx, e, authorizationKind)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(policies, func(p *unstructured.Unstructured) bool {
			return text(p.Object, "spec", "provider", "name") == "oauth2-proxy"
		}) {
			return nil, doctor.Skip("oauth2-proxy does not stand in front of the gateway")
		}
		filters, err := atGateway(ctx, e, envoyFilterKind)
		if err != nil {
			return nil, err
		}
		sets, err := e.List(ctx, statefulSetKind, cluster.Scope{Namespace: gatewayNamespace})
		if err != nil {
			return nil, err
		}
		var left []*unstructured.Unstructured
		for _, o := range append(slices.Clone(filters), sets...) {
			if slices.Contains([]string{"authn-filter", "authservice", "oidc-authservice"}, o.GetName()) {
				left = append(left, o)
			}
		}
		if len(left) == 0 {
			return nil, nil
		}
		return []doctor.Finding{judgeLeft(left)}, nil
	},
}

func judgeLeft(left []*unstructured.Unstructured) doctor.Finding {
	fix := &doctor.Fix{Title: "Delete what is left of authservice", Impact: doctor.RestartsPods}
	command := "kubectl delete -n " + gatewayNamespace
	for _, o := range left {
		fix.Changes = append(fix.Changes, cluster.Change{Verb: cluster.Delete, Before: o})
		command += " " + map[string]string{"EnvoyFilter": "envoyfilter/", "StatefulSet": "statefulset/"}[o.GetKind()] + o.GetName()
	}
	return doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(left[0])},
		Message:     "an older release's sign-in stands beside oauth2-proxy: " + names(left, func(o *unstructured.Unstructured) string { return cluster.RefOf(o).String() }),
		Consequence: "Visitors are sent from one sign-in to the other and do not reach the dashboard.",
		Cause:       "Kubeflow 1.9 replaced authservice, and applying a newer release deletes nothing of the older one.",
		Command:     command,
		Fix:         fix,
	}
}
