package checks

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var (
	envoyFilterKind   = schema.GroupKind{Group: "networking.istio.io", Kind: "EnvoyFilter"}
	authorizationKind = schema.GroupKind{Group: "security.istio.io", Kind: "AuthorizationPolicy"}
)

var authentication = &doctor.Check{
	ID:    "exposure/authentication",
	Title: "Public dashboard requires authentication",
	Why: "Kubeflow 1.2 lets everybody in as one anonymous user, and a newer release does when its sign-in was taken off. On a public address that is an open administration page: " +
		"whoever finds it can start containers on the cluster.",
	FixNote: "Nothing by itself, since each cure takes the address from somebody: make the load balancer internal, limit who may come, or take the address back with kubectl kubeflow expose.",
	Sources: []string{"https://github.com/kubeflow/community-distribution/blob/master/README.md"},
	Reads:   []schema.GroupKind{kube.ServiceKind, envoyFilterKind, authorizationKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		services, err := loadBalancers(ctx, e)
		if err != nil {
			return nil, err
		}
		open, why, err := unguarded(ctx, e)
		if err != nil || !open {
			return nil, err
		}
		var findings []doctor.Finding
		for _, s := range services {
			if hasAddress(s) && !internal(s) && !limited(s) {
				findings = append(findings, judgeOpen(s, why))
			}
		}
		return findings, nil
	},
}

// unguarded tells whether nothing in front of the gateway asks who a visitor is, and why that is so.
func unguarded(ctx context.Context, e doctor.Exam) (bool, string, error) {
	filters, err := atGateway(ctx, e, envoyFilterKind)
	if err != nil {
		return false, "", err
	}
	asks := false
	for _, f := range filters {
		switch f.GetName() {
		case "add-user-filter":
			return true, cluster.RefOf(f).String() + " makes every visitor the same anonymous user.", nil
		case "authn-filter":
			asks = true
		}
	}
	policies, err := atGateway(ctx, e, authorizationKind)
	if err != nil {
		return false, "", err
	}
	for _, p := range policies {
		if kube.Text(p.Object, "spec", "action") == "CUSTOM" || demandsPrincipal(p) {
			asks = true
		}
	}
	return !asks, "No EnvoyFilter and no AuthorizationPolicy in front of the gateway asks for a sign-in.", nil
}

// atGateway returns Istio's objects of a kind that apply to the gateway's pods. A mesh without the kind has none.
func atGateway(ctx context.Context, e doctor.Exam, kind schema.GroupKind) ([]*unstructured.Unstructured, error) {
	list, err := e.List(ctx, kind, cluster.Scope{Namespace: gatewayNamespace})
	if meta.IsNoMatchError(err) {
		return nil, nil
	}
	var found []*unstructured.Unstructured
	for _, o := range list {
		if appliesToGateway(o) {
			found = append(found, o)
		}
	}
	return found, err
}

func appliesToGateway(o *unstructured.Unstructured) bool {
	for _, path := range [][]string{{"spec", "workloadLabels"}, {"spec", "workloadSelector", "labels"}, {"spec", "selector", "matchLabels"}} {
		if selector, found, _ := unstructured.NestedStringMap(o.Object, path...); found {
			return labels.SelectorFromSet(selector).Matches(gatewayLabels)
		}
	}
	return true
}

// demandsPrincipal tells whether a policy turns requests without a token away.
func demandsPrincipal(policy *unstructured.Unstructured) bool {
	if kube.Text(policy.Object, "spec", "action") != "DENY" {
		return false
	}
	for _, rule := range kube.Items(policy.Object, "spec", "rules") {
		for _, from := range kube.Items(rule, "from") {
			if len(kube.Texts(from, "source", "notRequestPrincipals")) > 0 {
				return true
			}
		}
	}
	return false
}

func judgeOpen(service *unstructured.Unstructured, why string) doctor.Finding {
	return doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(service), Field: "spec.loadBalancerSourceRanges"},
		Message:     "the dashboard is open to the internet without sign-in",
		Consequence: "Whoever finds the address can start containers on the cluster.",
		Cause:       why,
		Advice:      "Make the load balancer internal, let only your own addresses in (--source-ranges), or take the address back (--remove).",
		Command:     "kubectl kubeflow expose --lb --internal",
	}
}
