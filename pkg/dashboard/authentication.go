package dashboard

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// Authentication is the verdict on what authenticates requests before they reach the dashboard.
type Authentication struct {
	By     string `json:"by"`    // "oauth2-proxy", "authservice", another provider, "token", or "none"
	Proven bool   `json:"ready"` // a recognised chain authenticates every request at every pod of the gateway, and is ready
	Reason string `json:"why"`   // the evidence on the cluster, as a phrase
	Unread error  `json:"-"`     // what could not be read, so that nothing is proven

	signIn *authenticator // what the gateway asks; nil when it validates tokens itself
	exempt exemptions     // what the chain leaves out
}

// NoAuthentication is Authentication.By if nothing authenticates requests.
const NoAuthentication = "none"

// String names the authentication in a few words; Reason says what it was read from.
func (a Authentication) String() string {
	switch {
	case a.By == NoAuthentication:
		return "no authentication"
	case !a.Proven:
		return "authentication by " + a.By + ", not proven"
	}
	return "authentication by " + a.By
}

// Authenticate reads what authenticates requests at the gateway. Authentication is proven only if a chain that is understood covers
// every host, path, port and method of every pod that serves the dashboard, and if its authenticator runs.
func (g Gateway) Authenticate(ctx context.Context, view cluster.View) Authentication {
	if err := g.PodsUnread; err != nil {
		return unread(err)
	}
	if why := g.unknownPods(); why != "" {
		return unproven(why)
	}
	m, err := readMesh(ctx, view, g.Namespace())
	if err != nil {
		return unread(err)
	}
	var verdict Authentication
	for i, pods := range g.podSets() {
		one := m.authenticate(ctx, view, pods)
		if !one.Proven {
			if i > 0 && one.Unread == nil {
				one.Reason += fmt.Sprintf(" (at the pods of %s)", pods)
			}
			return one
		}
		why, err := g.answered(ctx, view, one.exempt)
		switch {
		case err != nil:
			return unread(err)
		case why != "":
			return Authentication{By: one.By, Reason: one.Reason + ", and " + why}
		}
		if i == 0 {
			verdict = one
		}
	}
	return verdict
}

// A front is what Istio may enforce at one set of pods.
type front struct {
	mesh
	pods                     podSet
	filters, policies, rules []*unstructured.Unstructured // EnvoyFilters, AuthorizationPolicies and RequestAuthentications
	inactive                 []*unstructured.Unstructured // policies that Istio does not enforce
}

// authenticate reads what authenticates requests at one set of pods.
func (m mesh) authenticate(ctx context.Context, view cluster.View, pods podSet) Authentication {
	f := front{mesh: m, pods: pods}
	var plugins []*unstructured.Unstructured
	for kind, into := range map[schema.GroupKind]*[]*unstructured.Unstructured{
		EnvoyFilterKind: &f.filters, AuthorizationPolicyKind: &f.policies, RequestAuthenticationKind: &f.rules, wasmPluginKind: &plugins,
	} {
		all, err := listIn(ctx, view, kind, pods.namespace, m.root)
		if err != nil {
			return unread(err)
		}
		*into = whether(all, pods.labels, maybe)
		if kind == AuthorizationPolicyKind {
			f.inactive = slices.DeleteFunc(slices.Clone(all), func(o *unstructured.Unstructured) bool {
				return selected(o, pods.labels) == never || dryRun(o) == surely
			})
		}
	}
	if len(plugins) > 0 {
		return unproven(fmt.Sprintf("%s runs code in the gateway that may let requests pass", cluster.RefOf(plugins[0])))
	}
	verdict := f.judge(ctx, view)
	if verdict.Proven {
		product := ""
		if verdict.signIn != nil {
			product = verdict.signIn.product
		}
		verdict.exempt = f.exempt(verdict.signIn, product)
	}
	return verdict
}

// judge decides by the objects. The order is that of Istio: filters, then CUSTOM, DENY and ALLOW policies.
func (f front) judge(ctx context.Context, view cluster.View) Authentication {
	asked, narrow, reason := "", "", ""
	for _, filter := range f.filters {
		v := judgeFilter(filter)
		if v.unknown != "" {
			return unproven(v.unknown)
		}
		switch {
		case v.old && !slices.ContainsFunc(f.pods.images, oldProxy.MatchString):
			narrow = fmt.Sprintf("%s has the form of Istio up to 1.5, which newer proxies ignore", cluster.RefOf(filter))
		case v.narrow != "" || at(filter, f.pods.labels) != surely:
			narrow = v.narrow
		case v.checks != "":
			asked, reason = v.checks, fmt.Sprintf("%s asks %%s about every request", cluster.RefOf(filter))
		}
	}
	token := f.token()
	sure := whether(f.policies, f.pods.labels, surely)
	for _, policy := range withAction(sure, custom) {
		reach := scopeOf(policy)
		if reach == partly {
			continue
		}
		verdict := f.byProvider(ctx, view, policy)
		if reach == withoutToken && verdict.Proven {
			if !token.Proven {
				return unproven(fmt.Sprintf("%s lets requests with an Authorization header pass unchecked, and %s", cluster.RefOf(policy), cmp.Or(token.Reason, "no policy refuses those without a valid token")))
			}
			verdict.Reason = fmt.Sprintf("%s asks %s about every request without a token, and %s", cluster.RefOf(policy), verdict.By, token.Reason)
		}
		return verdict
	}
	if asked != "" {
		return f.byFilter(ctx, view, asked, reason)
	}
	if !token.Proven {
		return unproven(cmp.Or(narrow, token.Reason, f.missing()))
	}
	return token
}

func unproven(reason string) Authentication {
	return Authentication{By: NoAuthentication, Reason: reason}
}

func unread(err error) Authentication {
	return Authentication{By: NoAuthentication, Reason: fmt.Sprintf("what authenticates requests could not be read: %v", err), Unread: err}
}

// byProvider decides for Kubeflow 1.9 and newer, where Istio asks an external provider.
func (f front) byProvider(ctx context.Context, view cluster.View, policy *unstructured.Unstructured) Authentication {
	name := kube.Text(policy.Object, "spec", "provider", "name")
	reason := fmt.Sprintf("%s asks %s about every request", cluster.RefOf(policy), name)
	definitions := f.named(name)
	if len(definitions) == 0 {
		return Authentication{By: name, Reason: fmt.Sprintf("%s, which is not an extensionProvider of Istio's configuration in namespace %s", reason, RootNamespace(f.pods.namespace))}
	}
	verdict := Authentication{}
	for _, definition := range definitions {
		a, unsuited := askedBy(name, definition)
		if unsuited != "" {
			return Authentication{By: name, Reason: reason + ", which " + unsuited}
		}
		if verdict = a.judge(ctx, view, reason); !verdict.Proven {
			return verdict
		}
	}
	return verdict
}

// byFilter decides for Kubeflow 1.3 to 1.8, where an EnvoyFilter asks authservice, and for a company's own check.
func (f front) byFilter(ctx context.Context, view cluster.View, asked, reason string) Authentication {
	a, ok := inCluster(asked, f.filters)
	if !ok {
		return unproven(fmt.Sprintf(reason+": whether it runs cannot be seen in the cluster", asked))
	}
	a.http = true
	return a.judge(ctx, view, fmt.Sprintf(reason, a.name))
}

// token decides by the policies that demand a valid token. Only a RequestAuthentication validates tokens: without one the policies refuse
// every request and are likely to be weakened later, so they prove nothing. Without a reason there is no such policy.
func (f front) token() Authentication {
	sure := whether(f.policies, f.pods.labels, surely)
	var by *unstructured.Unstructured
	if i := slices.IndexFunc(withAction(sure, deny), refusesAnonymous); i >= 0 {
		by = withAction(sure, deny)[i]
	} else {
		by = allows(sure, f.policies)
	}
	if by == nil {
		return unproven("")
	}
	validated := slices.ContainsFunc(whether(f.rules, f.pods.labels, surely), func(o *unstructured.Unstructured) bool {
		return slices.ContainsFunc(kube.Items(o.Object, "spec", "jwtRules"), func(rule map[string]any) bool { return kube.Text(rule, "issuer") != "" })
	})
	if !validated {
		return unproven(fmt.Sprintf("%s refuses requests without a valid token, and no RequestAuthentication at the gateway validates any", cluster.RefOf(by)))
	}
	return Authentication{By: "token", Proven: true, Reason: fmt.Sprintf("%s refuses every request without a valid token", cluster.RefOf(by))}
}

// missing explains why no policy demands authentication: by the one that comes nearest.
func (f front) missing() string {
	reason := "nothing in front of the gateway authenticates requests"
	for _, p := range whether(f.policies, f.pods.labels, surely) {
		if why := nearly(p); why != "" {
			return why
		}
	}
	for _, p := range f.inactive {
		if action := actionOf(p); action == custom || action == deny {
			reason = fmt.Sprintf("%s is a dry run: Istio does not enforce it", cluster.RefOf(p))
		}
	}
	return reason
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

// KubeflowLabels returns the labels of the pods of Kubeflow's own gateway.
func KubeflowLabels() labels.Set { return maps.Clone(kubeflowLabels) }

func inFront(ctx context.Context, view cluster.View, kind schema.GroupKind, namespace string, pods labels.Set) ([]*unstructured.Unstructured, error) {
	all, err := listIn(ctx, view, kind, namespace, RootNamespace(namespace))
	return slices.DeleteFunc(all, func(o *unstructured.Unstructured) bool { return selected(o, pods) == never }), err
}

// listIn lists a kind in a gateway's namespace and in Istio's root namespace.
func listIn(ctx context.Context, view cluster.View, kind schema.GroupKind, namespaces ...string) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	for _, in := range slices.Compact(namespaces) {
		some, err := cluster.IgnoreNoMatch(view.List(ctx, kind, cluster.Scope{Namespace: in}))
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// RootNamespace returns the namespace whose objects Istio applies to every gateway: AKS's Istio add-on has a different one.
func RootNamespace(gateway string) string {
	if gateway == "aks-istio-ingress" {
		return "aks-istio-system"
	}
	return KubeflowNamespace
}
