package upgrades

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/exposure"
)

var LeftOvers = &doctor.Check{
	ID:    "upgrades/left-overs",
	Title: "No leftovers of authservice",
	Why: "Up to Kubeflow 1.8 authservice authenticates users; from 1.9 on oauth2-proxy does. Upgrading with kubectl apply deletes nothing: " +
		"if both are configured at the gateway, requests are redirected between them and never reach the dashboard.",
	FixNote: "--fix deletes the EnvoyFilter and StatefulSet of authservice if oauth2-proxy has replaced it. Its volume is kept. --undo recreates them.",
	Sources: []string{"https://github.com/kubeflow/community-distribution/blob/master/README.md"},
	Reads:   slices.Concat(dashboard.GatewayKinds, []schema.GroupKind{dashboard.EnvoyFilterKind, dashboard.AuthorizationPolicyKind, kube.StatefulSetKind}),
	Writes: []doctor.Write{
		{Kind: dashboard.EnvoyFilterKind, Names: authserviceNames, Delete: true},
		{Kind: kube.StatefulSetKind, In: []string{dashboard.KubeflowNamespace}, Names: authserviceNames, Delete: true},
	},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		policies, err := exposure.AtGateway(ctx, e, dashboard.AuthorizationPolicyKind)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(policies, func(p *unstructured.Unstructured) bool {
			return kube.Text(p.Object, "spec", "provider", "name") == "oauth2-proxy"
		}) {
			return nil, doctor.Skip("the gateway does not use oauth2-proxy")
		}
		filters, err := exposure.AtGateway(ctx, e, dashboard.EnvoyFilterKind)
		if err != nil {
			return nil, err
		}
		sets, err := e.List(ctx, kube.StatefulSetKind, cluster.Scope{Namespace: dashboard.KubeflowNamespace})
		if err != nil {
			return nil, err
		}
		var left []*unstructured.Unstructured
		for _, o := range append(slices.Clone(filters), sets...) {
			if slices.Contains(authserviceNames, o.GetName()) {
				left = append(left, o)
			}
		}
		if len(left) == 0 {
			return nil, nil
		}
		return []doctor.Finding{leftOversFinding(left)}, nil
	},
}

// authserviceNames are the names of its EnvoyFilter and StatefulSet, of whichever release.
var authserviceNames = []string{"authn-filter", "authservice", "oidc-authservice"}

func leftOversFinding(left []*unstructured.Unstructured) doctor.Finding {
	fix := &doctor.Fix{Title: "Delete the leftovers of authservice", Impact: doctor.RestartsPods}
	command := "kubectl delete -n " + dashboard.KubeflowNamespace
	for _, o := range left {
		fix.Changes = append(fix.Changes, cluster.Change{Verb: cluster.Delete, Before: o})
		command += " " + map[string]string{"EnvoyFilter": "envoyfilter/", "StatefulSet": "statefulset/"}[o.GetKind()] + o.GetName()
	}
	return doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(left[0])},
		Message:     "authservice of an older release is still configured beside oauth2-proxy: " + text.Names(left, text.Most, func(o *unstructured.Unstructured) string { return cluster.RefOf(o).String() }),
		Consequence: "Users are redirected between the two and do not reach the dashboard.",
		Cause:       "Kubeflow 1.9 replaced authservice, and applying a newer release does not delete the older one's objects.",
		Command:     command,
		Fix:         fix,
	}
}
