package dashboard

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// Some paths stay without authentication, so that users can sign in. A chain that leaves them out is complete only while nothing but
// the sign-in itself answers there: whoever may write a VirtualService or an Ingress, as the editors of profile namespaces in Kubeflow 1.8
// and older, could otherwise serve the dashboard, or a page of their own at its address, to everyone.

// A serviceName is a Service of the cluster.
type serviceName struct{ namespace, name string }

// exemptions are the beginnings of the paths that need no authentication, with the Services that may answer there.
type exemptions map[string][]serviceName

// signInServices are those of Kubeflow's releases.
var signInServices = map[string][]serviceName{
	"/dex":         {{"auth", "dex"}},
	"/oauth2":      {{"oauth2-proxy", "oauth2-proxy"}},
	"/authservice": {{"istio-system", "authservice"}},
}

// ownPaths are the paths that an authenticator lets pass by itself, whatever the policies say.
var ownPaths = map[string][]string{"oauth2-proxy": {"/dex/", "/oauth2/"}, "authservice": {"/dex", "/authservice"}}

// add makes a path exempt.
func (e exemptions) add(path string, by *authenticator) {
	for part, services := range signInServices {
		if strings.HasPrefix(path, part) {
			e[path] = services
			if by != nil && part != "/dex" {
				e[path] = append(slices.Clone(services), serviceName{by.namespace, by.service})
			}
		}
	}
	if _, known := e[path]; !known {
		e[path] = nil // the challenge of a certificate: see answersChallenges
	}
}

// exempt returns what the policies of a proven chain, and its authenticator, leave out.
func (f front) exempt(by *authenticator, product string) exemptions {
	e := exemptions{}
	for _, policy := range f.policies {
		rules, _ := rulesOf(policy)
		for _, rule := range rules {
			for _, to := range kube.Items(rule, "to") {
				operation := kube.Map(to, "operation")
				for _, pattern := range slices.Concat(kube.Texts(operation, "notPaths"), kube.Texts(operation, "paths")) {
					if forSignIn(pattern) {
						e.add(strings.TrimRight(pattern, "*"), by)
					}
				}
			}
		}
	}
	for _, path := range ownPaths[product] {
		e.add(path, by)
	}
	return e
}

// answered returns which other object answers at a path that needs no authentication; "" when only the sign-in does.
func (g Gateway) answered(ctx context.Context, view cluster.View, e exemptions) (string, error) {
	if len(e) == 0 {
		return "", nil
	}
	answers, err := g.readAnswers(ctx, view)
	if err != nil {
		return "", err
	}
	for _, path := range slices.Sorted(maps.Keys(e)) {
		owners, served := e[path], false
		for _, a := range answers {
			if a.everything || !a.overlaps(path) {
				continue
			}
			if !g.isSignIn(a, owners) {
				return fmt.Sprintf("%s answers requests to %s, which need no authentication, in place of the sign-in", cluster.RefOf(a.by), path), nil
			}
			served = true
		}
		for _, a := range answers { // Istio puts these last
			if a.everything && !served && !a.harmless() {
				return fmt.Sprintf("%s answers requests to %s, which need no authentication, because the sign-in has no route for them", cluster.RefOf(a.by), path), nil
			}
		}
	}
	return "", nil
}

// isSignIn reports whether a route leads to nothing but a Service of the sign-in, and was written by who may write in its namespace. Without
// owners it is about the challenge of a certificate, which cert-manager answers in the gateway's namespace.
func (g Gateway) isSignIn(a answer, owners []serviceName) bool {
	if !a.plain || len(a.to) == 0 {
		return false
	}
	return all(a.to, func(s serviceName) bool {
		if len(owners) == 0 {
			return s.namespace == g.Namespace() && a.by.GetNamespace() == g.Namespace()
		}
		return a.by.GetNamespace() == s.namespace && slices.Contains(owners, s)
	})
}

// harmless reports whether a route for every path may get those of the sign-in as well: Kubeflow's own, whose start page is for everyone
// and whose data is at other paths, or a redirect.
func (a answer) harmless() bool {
	own := serviceName{"kubeflow", "centraldashboard"}
	return a.redirects || a.by.GetNamespace() == own.namespace && len(a.to) > 0 && all(a.to, func(s serviceName) bool { return s == own })
}

// gatewaysOf returns which Gateways of Istio configure the pods that serve the dashboard, as namespace/name.
func (g Gateway) gatewaysOf(gateways []*unstructured.Unstructured) map[string]bool {
	ours := map[string]bool{gatewayRef.Namespace + "/" + gatewayRef.Name: true}
	for _, o := range gateways {
		selector, _, err := unstructured.NestedStringMap(o.Object, "spec", "selector")
		if err != nil || slices.ContainsFunc(g.podSets(), func(p podSet) bool { return labels.SelectorFromSet(selector).Matches(p.labels) }) {
			ours[o.GetNamespace()+"/"+o.GetName()] = true
		}
	}
	return ours
}
