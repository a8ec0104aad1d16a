package dashboard_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

// A request is one without a valid token or session, as the oracle sends it through the gateway.
type request struct {
	host, path, method, port string
	headers                  map[string]string
}

// requests are samples of everything that is not about signing in.
var requests = func() []request {
	var all []request
	for _, host := range []string{"20.1.2.3", "kubeflow.example.com", "open.example.com"} {
		for _, path := range []string{"/", "/pipeline/", "/api/namespaces", "/a/dex/", "/metrics", "/dexter", "/healthz", "/oauth2", "/x/oauth2/"} {
			for _, method := range []string{"GET", "POST", "OPTIONS"} {
				for _, port := range []string{"8080", "8443"} {
					for _, headers := range []map[string]string{nil, {"authorization": "Bearer x"}, {"x": "z"}} {
						all = append(all, request{host, path, method, port, headers})
					}
				}
			}
		}
	}
	return all
}()

// An oracle evaluates AuthorizationPolicies for one request after another, as https://istio.io/latest/docs/reference/config/security/authorization-policy/
// defines them. It knows none of the shapes that the package recognises.
type oracle struct {
	policies []*unstructured.Unstructured
	pods     labels.Set
	asked    map[string]bool // providers that refuse anonymous requests
}

// newOracle reads what decides from the objects.
func newOracle(t *testing.T, objects []*unstructured.Unstructured) oracle {
	t.Helper()
	o := oracle{asked: map[string]bool{}, pods: labels.Set{"app": "istio-ingressgateway", "istio": "ingressgateway"}}
	for _, object := range objects {
		switch {
		case object.GetKind() == "AuthorizationPolicy" && object.GetNamespace() == "istio-system":
			o.policies = append(o.policies, object)
		case object.GetKind() == "ConfigMap" && object.GetName() == "istio":
			var config map[string]any
			_ = yaml.Unmarshal([]byte(kube.Text(object.Object, "data", "mesh")), &config)
			for _, p := range kube.Items(config, "extensionProviders") {
				closed := !kube.Flag(p, "envoyExtAuthzHttp", "failOpen") && !kube.Flag(p, "envoyExtAuthzGrpc", "failOpen")
				o.asked[kube.Text(p, "name")] = closed && (kube.Map(p, "envoyExtAuthzHttp") != nil || kube.Map(p, "envoyExtAuthzGrpc") != nil)
			}
		}
	}
	return o
}

// passes reports whether an anonymous request reaches the dashboard.
func (o oracle) passes(r request) bool {
	allows, allowed := false, false
	for _, p := range o.policies {
		annotation := p.GetAnnotations()["istio.io/dry-run"]
		targeted := kube.Items(p.Object, "spec", "targetRefs") != nil || kube.Map(p.Object, "spec", "targetRef") != nil
		selector, _, _ := unstructured.NestedStringMap(p.Object, "spec", "selector", "matchLabels")
		if annotation == "true" || targeted || !labels.SelectorFromSet(selector).Matches(o.pods) {
			continue
		}
		matches := false
		for _, rule := range kube.Items(p.Object, "spec", "rules") {
			matches = matches || ruleMatches(rule, r)
		}
		switch kube.Text(p.Object, "spec", "action") {
		case "CUSTOM":
			if matches && o.asked[kube.Text(p.Object, "spec", "provider", "name")] {
				return false
			}
		case "DENY":
			if matches {
				return false
			}
		case "", "ALLOW":
			allows, allowed = true, allowed || matches
		}
	}
	return !allows || allowed
}

func ruleMatches(rule map[string]any, r request) bool {
	if from := kube.Items(rule, "from"); len(from) > 0 {
		any := false
		for _, f := range from {
			any = any || sourceMatches(kube.Map(f, "source"))
		}
		if !any {
			return false
		}
	}
	if to := kube.Items(rule, "to"); len(to) > 0 {
		any := false
		for _, t := range to {
			any = any || operationMatches(kube.Map(t, "operation"), r)
		}
		if !any {
			return false
		}
	}
	for _, c := range kube.Items(rule, "when") {
		value := ""
		if key := strings.ToLower(kube.Text(c, "key")); strings.HasPrefix(key, "request.headers[") {
			value = r.headers[strings.TrimSuffix(strings.TrimPrefix(key, "request.headers["), "]")]
		}
		if !listMatches(c, "values", "notValues", value) {
			return false
		}
	}
	return true
}

// sourceMatches evaluates a source for a client on the internet without a certificate or a token.
func sourceMatches(source map[string]any) bool {
	return listMatches(source, "requestPrincipals", "notRequestPrincipals", "") && listMatches(source, "principals", "notPrincipals", "") &&
		listMatches(source, "namespaces", "notNamespaces", "") && listMatches(source, "ipBlocks", "notIpBlocks", "198.51.100.7")
}

func operationMatches(operation map[string]any, r request) bool {
	return listMatches(operation, "hosts", "notHosts", r.host) && listMatches(operation, "paths", "notPaths", r.path) &&
		listMatches(operation, "methods", "notMethods", r.method) && listMatches(operation, "ports", "notPorts", r.port)
}

// listMatches evaluates a positive and a negative list for a value.
func listMatches(in map[string]any, positive, negative, value string) bool {
	has := func(list []string) bool {
		for _, pattern := range list {
			if patternMatches(pattern, value) {
				return true
			}
		}
		return false
	}
	if list := kube.Texts(in, positive); len(list) > 0 && !has(list) {
		return false
	}
	return !has(kube.Texts(in, negative))
}

func patternMatches(pattern, value string) bool {
	switch {
	case pattern == "*":
		return value != ""
	case strings.HasSuffix(pattern, "*"):
		return strings.HasPrefix(value, strings.TrimRight(pattern, "*"))
	case strings.HasPrefix(pattern, "*"):
		return strings.HasSuffix(value, pattern[1:])
	case pattern == "0.0.0.0/0":
		return value != ""
	}
	return pattern == value
}

// open returns an anonymous request that reaches the dashboard; nil when none does.
func (o oracle) open() *request {
	for _, r := range requests {
		if o.passes(r) {
			return &r
		}
	}
	return nil
}
