package dashboard

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// Authentication is the verdict on what authenticates requests before they reach the dashboard.
type Authentication struct {
	By     string `json:"by"`    // "oauth2-proxy", "authservice", another provider, "token", or "none"
	Proven bool   `json:"ready"` // a recognised authenticator is in front of the gateway, and is ready
	Reason string `json:"why"`   // the evidence on the cluster, as a phrase
	Unread error  `json:"-"`     // what could not be read, so that nothing is proven
}

// NoAuthentication is Authentication.By if nothing authenticates requests.
const NoAuthentication = "none"

// String names the authentication in a few words; Reason says what it was read from.
func (a Authentication) String() string {
	switch {
	case a.By == NoAuthentication:
		return "no authentication"
	case !a.Proven:
		return "authentication by " + a.By + ", not ready"
	}
	return "authentication by " + a.By
}

var proxyRef = cluster.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "oauth2-proxy", Name: "oauth2-proxy"}

// Authenticate reads what authenticates requests at the gateway.
func (g Gateway) Authenticate(ctx context.Context, view cluster.View) Authentication {
	filters, err := g.InFront(ctx, view, EnvoyFilterKind)
	if err != nil {
		return unread(err)
	}
	if f := named(filters, "add-user-filter"); f != nil { // whatever else is there: it sets the user of every request
		return unproven(fmt.Sprintf("%s authenticates every request as the same anonymous user", cluster.RefOf(f)))
	}
	rules, err := g.InFront(ctx, view, AuthorizationPolicyKind)
	if err != nil {
		return unread(err)
	}
	enforced := slices.DeleteFunc(slices.Clone(rules), dryRun)
	if i := slices.IndexFunc(enforced, func(p *unstructured.Unstructured) bool { return actionOf(p) == "CUSTOM" }); i >= 0 {
		return byProvider(ctx, view, enforced[i])
	}
	if f := named(filters, "authn-filter"); f != nil {
		return byAuthservice(ctx, view, f)
	}
	verdict := unproven("nothing in front of the gateway authenticates requests")
	for _, p := range rules {
		switch {
		case dryRun(p) && (actionOf(p) == "CUSTOM" || actionOf(p) == "DENY"):
			verdict = unproven(fmt.Sprintf("%s is a dry run: Istio does not enforce it", cluster.RefOf(p)))
		case actionOf(p) == "DENY":
			if byToken := g.byToken(ctx, view, p); byToken.Proven || byToken.Reason != "" {
				verdict = byToken
			}
		}
		if verdict.Proven {
			break
		}
	}
	return verdict
}

func unproven(reason string) Authentication {
	return Authentication{By: NoAuthentication, Reason: reason}
}

func unread(err error) Authentication {
	return Authentication{By: NoAuthentication, Reason: fmt.Sprintf("what authenticates requests could not be read: %v", err), Unread: err}
}

// InFront returns the objects of one of Istio's kinds that apply to the gateway's pods: those of its namespace and of Istio's
// root namespace that select the pods, or nothing in particular. A mesh without the kind has none.
func (g Gateway) InFront(ctx context.Context, view cluster.View, kind schema.GroupKind) ([]*unstructured.Unstructured, error) {
	return inFront(ctx, view, kind, g.Namespace(), g.Labels())
}

// InFrontOfKubeflow does the same for the pods of Kubeflow's own gateway, whether they exist or not.
func InFrontOfKubeflow(ctx context.Context, view cluster.View, kind schema.GroupKind) ([]*unstructured.Unstructured, error) {
	return inFront(ctx, view, kind, KubeflowNamespace, kubeflowLabels)
}

func inFront(ctx context.Context, view cluster.View, kind schema.GroupKind, namespace string, pods labels.Set) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	for _, in := range slices.Compact([]string{namespace, RootNamespace(namespace)}) {
		some, err := cluster.IgnoreNoMatch(view.List(ctx, kind, cluster.Scope{Namespace: in}))
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return slices.DeleteFunc(all, func(o *unstructured.Unstructured) bool { return !appliesTo(o, pods) }), nil
}

// RootNamespace returns the namespace whose objects Istio applies to every gateway: AKS's Istio add-on has a different one.
func RootNamespace(gateway string) string {
	if gateway == "aks-istio-ingress" {
		return "aks-istio-system"
	}
	return KubeflowNamespace
}

// appliesTo reports whether an Istio object applies to pods with these labels: one without a selector applies to all.
func appliesTo(o *unstructured.Unstructured, pods labels.Set) bool {
	for _, path := range [][]string{{"spec", "workloadLabels"}, {"spec", "workloadSelector", "labels"}, {"spec", "selector", "matchLabels"}} {
		if selector, found, _ := unstructured.NestedStringMap(o.Object, path...); found {
			return labels.SelectorFromSet(selector).Matches(pods)
		}
	}
	return true
}

func named(objects []*unstructured.Unstructured, name string) *unstructured.Unstructured {
	for _, o := range objects {
		if o.GetName() == name {
			return o
		}
	}
	return nil
}

func actionOf(policy *unstructured.Unstructured) string {
	return kube.Text(policy.Object, "spec", "action")
}

// dryRun reports whether Istio only logs what a policy would do. An invalid annotation counts as a dry run.
func dryRun(policy *unstructured.Unstructured) bool {
	value, annotated := policy.GetAnnotations()["istio.io/dry-run"]
	on, err := strconv.ParseBool(value)
	return annotated && (on || err != nil)
}

// byProvider decides for Kubeflow 1.9 and newer, where Istio asks an external provider about every request.
func byProvider(ctx context.Context, view cluster.View, policy *unstructured.Unstructured) Authentication {
	provider := kube.Text(policy.Object, "spec", "provider", "name")
	a := Authentication{By: provider, Proven: true, Reason: fmt.Sprintf("%s asks %s about every request", cluster.RefOf(policy), provider)}
	if provider != "oauth2-proxy" { // the state of another one is unknown
		return a
	}
	proxy, err := cluster.IgnoreNotFound(view.Get(ctx, proxyRef))
	switch {
	case err != nil:
		return Authentication{By: provider, Reason: a.Reason + ", which could not be read: " + err.Error(), Unread: err}
	case proxy == nil:
		return Authentication{By: provider, Reason: a.Reason + ", which is not ready: there is no " + proxyRef.String()}
	}
	if ready, why := cluster.Ready(proxy); !ready {
		return Authentication{By: provider, Reason: fmt.Sprintf("%s, which is not ready: %s", a.Reason, why)}
	}
	return a
}

// byAuthservice decides for Kubeflow 1.3 to 1.8. Its StatefulSet changed names; the Service did not.
func byAuthservice(ctx context.Context, view cluster.View, filter *unstructured.Unstructured) Authentication {
	a := Authentication{By: "authservice", Reason: fmt.Sprintf("%s asks authservice about every request", cluster.RefOf(filter))}
	all, err := listed[discoveryv1.EndpointSlice](ctx, view, kube.EndpointSliceKind, cluster.Scope{
		Namespace: KubeflowNamespace, Labels: discoveryv1.LabelServiceName + "=authservice",
	})
	if err != nil {
		a.Reason, a.Unread = a.Reason+", which could not be read: "+err.Error(), err
		return a
	}
	for _, slice := range all {
		for _, endpoint := range slice.Endpoints {
			if endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready {
				a.Proven = true
				return a
			}
		}
	}
	a.Reason += ", which is not ready: Service istio-system/authservice has no ready endpoints"
	return a
}
