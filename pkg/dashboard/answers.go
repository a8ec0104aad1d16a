package dashboard

import (
	"context"
	"fmt"
	"net"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// An answer is one route by which the dashboard's gateway passes requests on.
type answer struct {
	by         *unstructured.Unstructured // the VirtualService or Ingress
	path       pathMatch
	to         []serviceName
	plain      bool // it has no fields but those that are known to lead to its Services alone
	everything bool // it is for every request, so that Istio puts it last
	redirects  bool // it leads to no Service
}

// A pathMatch says which paths a route is for: exactly one, or those that begin with a text. The zero value is every path.
type pathMatch struct {
	text  string
	exact bool
	fold  bool // without regard to case
}

// overlaps reports whether a route is for some path that begins with a text.
func (a answer) overlaps(beginning string) bool {
	text := a.path.text
	if a.path.fold {
		text, beginning = strings.ToLower(text), strings.ToLower(beginning)
	}
	return strings.HasPrefix(text, beginning) || !a.path.exact && strings.HasPrefix(beginning, text)
}

// readAnswers reads the routes of every namespace at the dashboard's address. What is for another host name alone is another site, unless it
// names a path of the sign-in: models and companies' own pages are served so.
func (g Gateway) readAnswers(ctx context.Context, view cluster.View) ([]answer, error) {
	services, err := cluster.IgnoreNoMatch(view.List(ctx, virtualServiceKind, cluster.Scope{}))
	if err != nil {
		return nil, fmt.Errorf("listing VirtualServices: %w", err)
	}
	gateways, err := cluster.IgnoreNoMatch(view.List(ctx, IstioGatewayKind, cluster.Scope{}))
	if err != nil {
		return nil, fmt.Errorf("listing Gateways: %w", err)
	}
	ours := g.gatewaysOf(gateways)
	var answers []answer
	for _, o := range services {
		if slices.ContainsFunc(kube.Texts(o.Object, "spec", "gateways"), func(name string) bool {
			if !strings.Contains(name, "/") {
				name = o.GetNamespace() + "/" + name
			}
			return ours[name]
		}) {
			answers = append(answers, g.virtual(o)...)
		}
	}
	ingresses, err := view.List(ctx, kube.IngressKind, cluster.Scope{})
	if err != nil {
		return nil, fmt.Errorf("listing Ingresses: %w", err)
	}
	for _, o := range ingresses {
		answers = append(answers, g.ingress(o)...)
	}
	return answers, nil
}

// virtual returns the routes of a VirtualService.
func (g Gateway) virtual(o *unstructured.Unstructured) []answer {
	hosts := kube.Texts(o.Object, "spec", "hosts")
	foreign := len(hosts) > 0 && all(hosts, g.isOtherSite)
	var answers []answer
	for _, route := range kube.Items(o.Object, "spec", "http") {
		a := answer{by: o, plain: only(route, "name", "match", "route", "timeout", "retries", "rewrite"), redirects: route["redirect"] != nil && route["route"] == nil}
		for _, destination := range kube.Items(route, "route") {
			a.plain = a.plain && only(destination, "destination", "weight")
			a.to = append(a.to, serviceOf(kube.Text(destination, "destination", "host"), o.GetNamespace()))
		}
		matches, ok := entries(route, "match")
		if !ok || len(matches) == 0 {
			matches = []map[string]any{nil}
		}
		for _, match := range matches {
			if one, relevant := g.matched(a, match, foreign); relevant {
				answers = append(answers, one)
			}
		}
	}
	return answers
}

// matched returns a route with what one entry of its match says. relevant is false where that is about other requests than the dashboard's.
func (g Gateway) matched(a answer, match map[string]any, foreign bool) (_ answer, relevant bool) {
	if port := kube.Number(match, "port"); port != 0 && g.IstioGateway != nil && !slices.ContainsFunc(Servers(g.IstioGateway), func(s map[string]any) bool {
		return kube.Number(s, "port", "number") == port
	}) {
		return a, false
	}
	uri := kube.Map(match, "uri")
	a.path = pathOf(uri)
	a.path.fold = kube.Flag(match, "ignoreUriCase")
	root := a.path.text == "" || a.path.text == "/" && !a.path.exact
	site := foreign || a.isSiteOf(kube.Map(match, "authority"))
	if root && site {
		return a, false
	}
	a.everything = root && only(match, "uri", "name", "ignoreUriCase", "port") && only(uri, "prefix", "regex") && wholeRegex(kube.Text(uri, "regex"))
	return a, true
}

func wholeRegex(r string) bool { return slices.Contains([]string{"", "*", ".*", "/.*"}, r) }

// pathOf returns which paths a match of Istio's is for; of a regular expression, what its paths begin with.
func pathOf(uri map[string]any) pathMatch {
	if exact := kube.Text(uri, "exact"); exact != "" {
		return pathMatch{text: exact, exact: true}
	}
	if prefix := kube.Text(uri, "prefix"); prefix != "" {
		return pathMatch{text: prefix}
	}
	text, exact := literal(kube.Text(uri, "regex"))
	return pathMatch{text: text, exact: exact && text != ""}
}

// literal returns what every text that a regular expression matches begins with, and whether that is the only one.
func literal(expression string) (string, bool) {
	expression = strings.TrimPrefix(expression, "^")
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return "", false
	}
	compiled, err := regexp.Compile(parsed.String())
	if err != nil {
		return "", false
	}
	return compiled.LiteralPrefix()
}

// isSiteOf reports whether a match of host names is about the route's own Service, as clients in the cluster name it.
func (a answer) isSiteOf(authority map[string]any) bool {
	name := kube.Text(authority, "exact")
	if name == "" {
		name, _ = literal(kube.Text(authority, "regex"))
	}
	return len(a.to) > 0 && name != "" && all(a.to, func(s serviceName) bool { return name == s.name || strings.HasPrefix(name, s.name+".") })
}

// isOtherSite reports whether a host name is known not to be the dashboard's.
func (g Gateway) isOtherSite(host string) bool {
	if strings.Contains(host, "*") || net.ParseIP(host) != nil {
		return false
	}
	for _, server := range Servers(g.IstioGateway) {
		if slices.Contains(kube.Texts(server, "hosts"), host) {
			return false
		}
	}
	for _, s := range g.Services {
		label := s.Annotations["service.beta.kubernetes.io/azure-dns-label-name"]
		if label != "" && strings.HasPrefix(host, label+".") || strings.Contains(s.Annotations["external-dns.alpha.kubernetes.io/hostname"], host) {
			return false
		}
	}
	return true
}

// serviceOf returns the Service that a host in the cluster names; without a name if it is none.
func serviceOf(host, namespace string) serviceName {
	parts := strings.Split(strings.TrimSuffix(host, "."), ".")
	switch {
	case len(parts) == 1:
		return serviceName{namespace, parts[0]}
	case len(parts) == 2, len(parts) > 2 && parts[2] == "svc":
		return serviceName{parts[1], parts[0]}
	}
	return serviceName{}
}

// ingress returns the routes of an Ingress that Istio serves.
func (g Gateway) ingress(o *unstructured.Unstructured) []answer {
	ingress, err := cluster.As[networkingv1.Ingress](o)
	if err != nil || !istioServes(ingress) {
		return nil
	}
	to := func(b networkingv1.IngressBackend) []serviceName {
		if b.Service == nil {
			return nil
		}
		return []serviceName{{o.GetNamespace(), b.Service.Name}}
	}
	var answers []answer
	if ingress.Spec.DefaultBackend != nil {
		answers = append(answers, answer{by: o, plain: true, everything: true, to: to(*ingress.Spec.DefaultBackend)})
	}
	for _, rule := range ingress.Spec.Rules {
		if rule.HTTP == nil {
			continue
		}
		for _, p := range rule.HTTP.Paths {
			exact := p.PathType != nil && *p.PathType == networkingv1.PathTypeExact
			a := answer{by: o, plain: true, to: to(p.Backend), path: pathMatch{text: strings.TrimRight(p.Path, "*"), exact: exact}}
			root := strings.Trim(a.path.text, "/.") == "" && !exact
			if root && rule.Host != "" && g.isOtherSite(rule.Host) {
				continue
			}
			a.everything = root
			answers = append(answers, a)
		}
	}
	return answers
}

// istioServes reports whether an Ingress is of the class that Istio's own gateway serves.
func istioServes(ingress *networkingv1.Ingress) bool {
	class := ingress.Annotations["kubernetes.io/ingress.class"]
	if ingress.Spec.IngressClassName != nil {
		class = *ingress.Spec.IngressClassName
	}
	return class == "istio"
}
