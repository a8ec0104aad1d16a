package dashboard

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// Which requests a policy has to be about is decided by the few shapes below, because they cover every host, path, port and
// method. A rule with anything else in it is about fewer requests than it seems, and counts as if it were not there.

// signInPaths begin the paths that have to stay open so that users can sign in and certificates can be issued. They serve nothing
// of the dashboard.
var signInPaths = []string{"/dex/", "/oauth2/", "/authservice/", "/.well-known/acme-challenge/"}

// forSignIn reports whether a pattern of paths is only about signing in: a path below one of signInPaths, with a wildcard at its end at
// most.
func forSignIn(pattern string) bool {
	fixed := strings.TrimRight(pattern, "*")
	return !strings.ContainsAny(fixed, "*{}%\\") && !strings.Contains(fixed, "..") &&
		slices.ContainsFunc(signInPaths, func(p string) bool { return strings.HasPrefix(fixed, p) })
}

// Actions of an AuthorizationPolicy.
const (
	custom = "CUSTOM"
	deny   = "DENY"
	audit  = "AUDIT"
)

func actionOf(policy *unstructured.Unstructured) string {
	return kube.Text(policy.Object, "spec", "action")
}

// withAction returns those of the policies that have an action.
func withAction(policies []*unstructured.Unstructured, action string) []*unstructured.Unstructured {
	return slices.DeleteFunc(slices.Clone(policies), func(p *unstructured.Unstructured) bool { return actionOf(p) != action })
}

// rulesOf returns the rules of a policy; ok is false if one of them is not an object.
func rulesOf(policy *unstructured.Unstructured) (rules []map[string]any, ok bool) {
	field, set, err := unstructured.NestedFieldNoCopy(policy.Object, "spec", "rules")
	list, isList := field.([]any)
	rules = kube.Items(policy.Object, "spec", "rules")
	return rules, err == nil && (!set || isList) && len(rules) == len(list)
}

// only reports whether an object has no other fields than these.
func only(o map[string]any, known ...string) bool {
	for key := range o {
		if !slices.Contains(known, key) {
			return false
		}
	}
	return true
}

// entries returns the objects of a list in a rule; ok is false if it is not a list of objects.
func entries(rule map[string]any, field string) (all []map[string]any, ok bool) {
	if rule[field] == nil {
		return nil, true
	}
	list, isList := rule[field].([]any)
	all = kube.Items(rule, field)
	return all, isList && len(all) == len(list)
}

// everywhere reports whether a rule is about every host, path, port and method, but for those of signing in.
func everywhere(rule map[string]any) bool {
	to, ok := entries(rule, "to")
	if !ok || len(to) == 0 {
		return ok
	}
	return slices.ContainsFunc(to, func(entry map[string]any) bool {
		operation := kube.Map(entry, "operation")
		paths := kube.Texts(operation, "notPaths")
		return only(entry, "operation") && len(operation) == 1 && len(paths) > 0 && all(paths, forSignIn)
	})
}

// onlySignIn reports whether a rule is about nothing but the paths of signing in.
func onlySignIn(rule map[string]any) bool {
	to, ok := entries(rule, "to")
	return ok && len(to) > 0 && all(to, func(entry map[string]any) bool {
		paths := kube.Texts(kube.Map(entry, "operation"), "paths")
		return len(paths) > 0 && all(paths, forSignIn)
	})
}

func all[T any](list []T, is func(T) bool) bool {
	return !slices.ContainsFunc(list, func(one T) bool { return !is(one) })
}

// A scope is which requests a CUSTOM policy sends to its provider.
type scope int

const (
	partly       scope = iota // some
	withoutToken              // all without an Authorization header
	completely                // all
)

// scopeOf returns which requests a CUSTOM policy sends to its provider. Kubeflow's own leaves those with a token to a DENY policy.
func scopeOf(policy *unstructured.Unstructured) scope {
	rules, ok := rulesOf(policy)
	if !ok {
		return partly
	}
	widest := partly
	for _, rule := range rules {
		when, ok := entries(rule, "when")
		switch {
		case !ok || !everywhere(rule) || !only(rule, "to", "when", "from") || notEmpty(rule, "from"):
		case len(when) == 0:
			return completely
		case len(when) == 1 && absent(when[0], "request.headers[authorization]"):
			widest = withoutToken
		}
	}
	return widest
}

func notEmpty(rule map[string]any, field string) bool {
	list, ok := entries(rule, field)
	return !ok || len(list) > 0
}

// absent reports whether a condition is that an attribute of the request does not exist.
func absent(condition map[string]any, attribute string) bool {
	return only(condition, "key", "notValues") && strings.EqualFold(kube.Text(condition, "key"), attribute) &&
		slices.Equal(kube.Texts(condition, "notValues"), []string{"*"})
}

// refusesAnonymous reports whether a DENY policy refuses every request without the principal of a validated token.
func refusesAnonymous(policy *unstructured.Unstructured) bool {
	rules, ok := rulesOf(policy)
	return ok && slices.ContainsFunc(rules, func(rule map[string]any) bool {
		from, ok1 := entries(rule, "from")
		when, ok2 := entries(rule, "when")
		if !ok1 || !ok2 || !everywhere(rule) || !only(rule, "from", "to", "when") {
			return false
		}
		byCondition := len(from) == 0 && len(when) == 1 && absent(when[0], "request.auth.principal")
		return byCondition || len(when) == 0 && slices.ContainsFunc(from, withoutPrincipal)
	})
}

// withoutPrincipal reports whether a source is every request without a principal of a token, whatever else is true of it.
func withoutPrincipal(from map[string]any) bool {
	source := kube.Map(from, "source")
	return only(from, "source") && len(source) == 1 && len(kube.Texts(source, "notRequestPrincipals")) > 0
}

// admitsOnlySignedIn reports whether a rule of an ALLOW policy admits no anonymous request, but to the paths of signing in.
func admitsOnlySignedIn(rule map[string]any) bool {
	if onlySignIn(rule) {
		return true
	}
	from, ok1 := entries(rule, "from")
	when, ok2 := entries(rule, "when")
	if !ok1 || !ok2 {
		return false
	}
	bySource := len(from) > 0 && all(from, func(entry map[string]any) bool {
		return named(kube.Texts(kube.Map(entry, "source"), "requestPrincipals"))
	})
	byCondition := slices.ContainsFunc(when, func(c map[string]any) bool {
		key := kube.Text(c, "key")
		return (key == "request.auth.principal" || strings.HasPrefix(key, "request.auth.claims[")) && named(kube.Texts(c, "values"))
	})
	return bySource || byCondition
}

// named reports whether there are values, none of them empty.
func named(values []string) bool { return len(values) > 0 && !slices.Contains(values, "") }

// allows returns the ALLOW policy that makes the gateway refuse anonymous requests, nil when anonymous requests pass. Istio refuses what no
// ALLOW policy admits as soon as there is one.
func allows(sure, possible []*unstructured.Unstructured) *unstructured.Unstructured {
	var found *unstructured.Unstructured
	for _, p := range sure { // one without rules is a default that others open
		if rules, _ := rulesOf(p); (actionOf(p) == "" || actionOf(p) == "ALLOW") && len(rules) > 0 {
			found = p
		}
	}
	for _, p := range possible {
		if rules, ok := rulesOf(p); isAllow(p) && (!ok || !all(rules, admitsOnlySignedIn)) {
			return nil
		}
	}
	return found
}

// isAllow reports whether a policy may admit requests: what is none of the other actions counts as such.
func isAllow(p *unstructured.Unstructured) bool {
	return !slices.Contains([]string{custom, deny, audit}, actionOf(p))
}

// nearly explains why a policy that looks like authentication is none; "" when it does not look like it.
func nearly(p *unstructured.Unstructured) string {
	rules, _ := rulesOf(p)
	peers, requests := false, false
	for _, rule := range rules {
		for _, from := range kube.Items(rule, "from") {
			source := kube.Map(from, "source")
			peers = peers || len(kube.Texts(source, "notPrincipals")) > 0
			requests = requests || len(kube.Texts(source, "notRequestPrincipals")) > 0
		}
	}
	ref := cluster.RefOf(p)
	switch {
	case actionOf(p) == custom && len(rules) == 0:
		return fmt.Sprintf("%s has no rules, so that it asks about no request", ref)
	case actionOf(p) == custom:
		return fmt.Sprintf("%s asks %s about some requests only: its rules name hosts, paths, ports, methods, sources or conditions", ref, kube.Text(p.Object, "spec", "provider", "name"))
	case actionOf(p) == deny && requests:
		return fmt.Sprintf("%s refuses requests without a token for some paths, hosts or conditions only", ref)
	case actionOf(p) == deny && peers:
		return fmt.Sprintf("%s checks the certificates of workloads (notPrincipals), which no user has", ref)
	}
	return ""
}
