package gateway

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A request is what the rules of an AuthorizationPolicy match.
type request struct {
	*http.Request
	namespace, principal string         // of the client in the mesh
	claims               map[string]any // of the token that was validated, or nil
}

// meets reports whether a request matches a rule of a policy.
func (q request) meets(policy unstructured.Unstructured) bool {
	rules, _, _ := unstructured.NestedSlice(policy.Object, "spec", "rules")
	return slices.ContainsFunc(rules, func(item any) bool {
		rule, _ := item.(map[string]any)
		return q.matches(rule)
	})
}

func (q request) matches(rule map[string]any) bool {
	for list, field := range map[string]string{"from": "source", "to": "operation"} {
		items := inner(rule, list, field)
		if len(items) > 0 && !slices.ContainsFunc(items, q.has) {
			return false
		}
	}
	conditions, _, _ := unstructured.NestedSlice(rule, "when")
	return !slices.ContainsFunc(conditions, func(item any) bool {
		condition, _ := item.(map[string]any)
		return !q.holds(condition)
	})
}

// has reports whether a request has all attributes of a source or an operation.
func (q request) has(of map[string]any) bool {
	for field := range of {
		attribute, not := strings.CutPrefix(field, "not")
		attribute = strings.ToLower(attribute[:1]) + attribute[1:]
		values, _, _ := unstructured.NestedStringSlice(of, field)
		if slices.ContainsFunc(values, func(v string) bool { return q.is(attribute, v) }) == not {
			return false
		}
	}
	return true
}

func (q request) is(attribute, pattern string) bool {
	switch attribute {
	case "principals":
		return like(pattern, q.principal)
	case "requestPrincipals":
		return like(pattern, q.requestPrincipal())
	case "namespaces":
		return like(pattern, q.namespace)
	case "methods":
		return like(pattern, q.Method)
	case "paths":
		return like(pattern, q.URL.Path)
	case "hosts":
		return like(strings.ToLower(pattern), strings.ToLower(q.Host))
	case "ipBlocks", "remoteIpBlocks":
		return within(pattern, q.RemoteAddr)
	}
	return false
}

// holds reports whether a condition of a rule holds.
func (q request) holds(condition map[string]any) bool {
	key, _ := condition["key"].(string)
	value, ok := q.attribute(key)
	if !ok {
		return false
	}
	matches := func(v string) bool { return slices.ContainsFunc(value, func(one string) bool { return like(v, one) }) }
	if values, given, _ := unstructured.NestedStringSlice(condition, "values"); given && !slices.ContainsFunc(values, matches) {
		return false
	}
	not, given, _ := unstructured.NestedStringSlice(condition, "notValues")
	return !given || !slices.ContainsFunc(not, matches)
}

// attribute returns the values of a condition's key, and whether the sandbox knows the key.
func (q request) attribute(key string) ([]string, bool) {
	name, of, _ := strings.Cut(strings.TrimSuffix(key, "]"), "[")
	switch name {
	case "request.headers":
		return q.Header.Values(of), true
	case "source.namespace":
		return []string{q.namespace}, true
	case "source.principal":
		return []string{q.principal}, true
	case "request.auth.principal":
		return []string{q.requestPrincipal()}, true
	case "request.auth.audiences":
		return texts(q.claims["aud"]), true
	case "request.auth.claims":
		return texts(q.claims[of]), true
	}
	return nil, false
}

// requestPrincipal is the issuer and the subject of the token, "" without one.
func (q request) requestPrincipal() string {
	if q.claims == nil {
		return ""
	}
	return fmt.Sprintf("%v/%v", q.claims["iss"], q.claims["sub"])
}

// texts returns a claim's value or values.
func texts(claim any) []string {
	switch v := claim.(type) {
	case nil:
		return nil
	case []any:
		var all []string
		for _, one := range v {
			all = append(all, fmt.Sprint(one))
		}
		return all
	}
	return []string{fmt.Sprint(claim)}
}

// like matches Istio's patterns: * alone for any value, or * at either end.
func like(pattern, value string) bool {
	switch {
	case pattern == "*":
		return value != ""
	case strings.HasPrefix(pattern, "*"):
		return strings.HasSuffix(value, pattern[1:])
	case strings.HasSuffix(pattern, "*"):
		return strings.HasPrefix(value, strings.TrimSuffix(pattern, "*"))
	}
	return pattern == value
}

func within(block, remote string) bool {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return false
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	if prefix, err := netip.ParsePrefix(block); err == nil {
		return prefix.Contains(address)
	}
	one, err := netip.ParseAddr(block)
	return err == nil && one == address
}

func inner(rule map[string]any, list, field string) []map[string]any {
	items, _, _ := unstructured.NestedSlice(rule, list)
	var all []map[string]any
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			if of, ok := m[field].(map[string]any); ok {
				all = append(all, of)
			}
		}
	}
	return all
}
