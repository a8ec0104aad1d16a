package expose

import (
	"context"
	"fmt"
	"slices"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// SignIn is what asks visitors who they are before the dashboard opens.
type SignIn struct {
	By    string `json:"by"`    // "oauth2-proxy", "authservice", or "none"
	Ready bool   `json:"ready"` // it runs
	Why   string `json:"why"`   // what on the cluster says so, as a sentence
}

// none is SignIn.By where nobody is asked.
const none = "none"

// InFront tells whether visitors really have to sign in.
func (s SignIn) InFront() bool { return s.By != none && s.Ready }

var (
	envoyFilters          = schema.GroupKind{Group: "networking.istio.io", Kind: "EnvoyFilter"}
	endpointSlices        = schema.GroupKind{Group: "discovery.k8s.io", Kind: "EndpointSlice"}
	authorizationPolicies = schema.GroupKind{Group: "security.istio.io", Kind: "AuthorizationPolicy"}
)

// lookSignIn reads what stands in front of the gateway. What cannot be read counts as not there: that is the safe side.
func lookSignIn(ctx context.Context, view cluster.View, namespace string, pods labels.Set) SignIn {
	filters, err := inFront(ctx, view, envoyFilters, namespace, pods)
	if err != nil {
		return unread(err)
	}
	policies, err := inFront(ctx, view, authorizationPolicies, namespace, pods)
	if err != nil {
		return unread(err)
	}
	if f := named(filters, "add-user-filter"); f != nil {
		return SignIn{By: none, Why: fmt.Sprintf("%s lets everybody in as one anonymous user", cluster.RefOf(f))}
	}
	for _, p := range policies {
		if action, _, _ := unstructured.NestedString(p.Object, "spec", "action"); action == "CUSTOM" {
			return byProvider(ctx, view, p)
		}
	}
	if f := named(filters, "authn-filter"); f != nil {
		return byAuthService(ctx, view, f)
	}
	return SignIn{By: none, Why: "nothing in front of the gateway asks who a visitor is"}
}

func unread(err error) SignIn {
	return SignIn{By: none, Why: fmt.Sprintf("it could not be looked for: %v", err)}
}

// inFront returns the Istio objects of a kind that apply to the gateway's pods:
// those of its namespace and of Istio's root namespace which select the pods, or nothing in particular.
func inFront(ctx context.Context, view cluster.View, kind schema.GroupKind, namespace string, pods labels.Set) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	for _, in := range slices.Compact([]string{namespace, rootNamespace(namespace)}) {
		some, err := optional(view.List(ctx, kind, cluster.Scope{Namespace: in}))
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return slices.DeleteFunc(all, func(o *unstructured.Unstructured) bool { return !reaches(o, pods) }), nil
}

// rootNamespace returns the namespace whose objects Istio applies to every gateway: AKS's own Istio has another than the usual one.
func rootNamespace(gateway string) string {
	if gateway == "aks-istio-ingress" {
		return "aks-istio-system"
	}
	return "istio-system"
}

func named(objects []*unstructured.Unstructured, name string) *unstructured.Unstructured {
	for _, o := range objects {
		if o.GetName() == name {
			return o
		}
	}
	return nil
}

// reaches tells whether an Istio object applies to pods with these labels: where it selects none in particular, it applies to all.
func reaches(o *unstructured.Unstructured, pods labels.Set) bool {
	for _, path := range [][]string{{"spec", "workloadLabels"}, {"spec", "workloadSelector", "labels"}, {"spec", "selector", "matchLabels"}} {
		if selector, found, _ := unstructured.NestedStringMap(o.Object, path...); found {
			return labels.SelectorFromSet(selector).Matches(pods)
		}
	}
	return true
}

// byProvider decides for Kubeflow 1.9 and newer, where Istio asks an external provider about every request.
func byProvider(ctx context.Context, view cluster.View, policy *unstructured.Unstructured) SignIn {
	provider, _, _ := unstructured.NestedString(policy.Object, "spec", "provider", "name")
	s := SignIn{By: provider, Ready: true, Why: fmt.Sprintf("%s asks %s about every visitor", cluster.RefOf(policy), provider)}
	if provider != "oauth2-proxy" { // somebody's own: how it runs is theirs to know
		return s
	}
	proxy, err := view.Get(ctx, cluster.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "oauth2-proxy", Name: "oauth2-proxy"})
	if err != nil {
		return SignIn{By: provider, Why: s.Why + ", which could not be read: " + err.Error()}
	}
	if ready, why := cluster.Ready(proxy); !ready {
		return SignIn{By: provider, Why: fmt.Sprintf("%s, which is not ready: %s", s.Why, why)}
	}
	return s
}

// byAuthService decides for Kubeflow 1.3 to 1.8. Its StatefulSet changed names; the Service did not.
func byAuthService(ctx context.Context, view cluster.View, filter *unstructured.Unstructured) SignIn {
	s := SignIn{By: "authservice", Why: fmt.Sprintf("%s asks authservice about every visitor", cluster.RefOf(filter))}
	slices, err := listed[discoveryv1.EndpointSlice](ctx, view, endpointSlices, cluster.Scope{
		Namespace: "istio-system", Labels: discoveryv1.LabelServiceName + "=authservice",
	})
	if err != nil {
		s.Why += ", which could not be read: " + err.Error()
		return s
	}
	for _, slice := range slices {
		for _, endpoint := range slice.Endpoints {
			if endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready {
				s.Ready = true
				return s
			}
		}
	}
	s.Why += ", which is not ready: no pod answers for Service istio-system/authservice"
	return s
}

// String names the sign-in in a few words; Why says what it was read from.
func (s SignIn) String() string {
	switch {
	case s.By == none:
		return "no sign-in"
	case !s.Ready:
		return "sign-in by " + s.By + ", not ready"
	}
	return "sign-in by " + s.By
}
