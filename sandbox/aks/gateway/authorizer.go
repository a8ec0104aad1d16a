package gateway

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"
)

// An authorizer is an extension provider of Istio's mesh configuration that is asked over HTTP about each request.
type authorizer struct {
	Service                      string   `json:"service"`
	PathPrefix                   string   `json:"pathPrefix"`
	FailOpen                     bool     `json:"failOpen"`
	StatusOnError                string   `json:"statusOnError"`
	IncludeRequestHeadersInCheck []string `json:"includeRequestHeadersInCheck"`
	IncludeHeadersInCheck        []string `json:"includeHeadersInCheck"` // its name before Istio 1.11

	IncludeAdditionalHeadersInCheck map[string]string `json:"includeAdditionalHeadersInCheck"`

	HeadersToUpstreamOnAllow   []string `json:"headersToUpstreamOnAllow"`
	HeadersToDownstreamOnDeny  []string `json:"headersToDownstreamOnDeny"`
	HeadersToDownstreamOnAllow []string `json:"headersToDownstreamOnAllow"`
}

// authorizers are the extension providers by their names, of Istio's own configuration and of the one that AKS's add-on shares.
// known is false without any.
func (c Cluster) authorizers(namespaces ...string) (all map[string]*authorizer, known bool) {
	all = map[string]*authorizer{}
	if c.Configs == nil {
		return all, false
	}
	for _, namespace := range namespaces {
		configs, err := c.Configs.ConfigMaps(namespace).List(labels.Everything())
		if err != nil {
			continue
		}
		for _, config := range configs {
			if strings.HasPrefix(config.Name, "istio") {
				known = extend(all, config.Data["mesh"]) || known
			}
		}
	}
	return all, known
}

func extend(all map[string]*authorizer, text string) bool {
	var mesh struct {
		ExtensionProviders []struct {
			Name              string
			EnvoyExtAuthzHTTP *authorizer `json:"envoyExtAuthzHttp"`
		}
	}
	if yaml.Unmarshal([]byte(text), &mesh) != nil {
		return false
	}
	for _, provider := range mesh.ExtensionProviders {
		if provider.EnvoyExtAuthzHTTP != nil {
			all[provider.Name] = provider.EnvoyExtAuthzHTTP
		}
	}
	return len(mesh.ExtensionProviders) > 0
}

// custom returns the CUSTOM policies of the gateway and who they ask. real is false while sign-in is simulated: without Istio's
// configuration, or while the program of another pod is asked than the real ones.
func (g *Gateway) custom(policies []unstructured.Unstructured) (custom []unstructured.Unstructured, all map[string]*authorizer, real bool) {
	all, known := g.cluster.authorizers(g.pod.Namespace, "istio-system", "aks-istio-system")
	for _, policy := range policies {
		if does(policy, "CUSTOM", g.pod.Labels) {
			custom = append(custom, policy)
			provider := all[providerOf(policy)]
			real = real || known && (provider == nil || !g.simulated(provider))
		}
	}
	return custom, all, real
}

func providerOf(policy unstructured.Unstructured) string {
	name, _, _ := unstructured.NestedString(policy.Object, "spec", "provider", "name")
	return name
}

// simulated reports whether a pod that the sandbox only simulates is behind a provider.
func (g *Gateway) simulated(provider *authorizer) bool {
	to := parseHost(provider.Service, g.pod.Namespace)
	return g.cluster.Real == nil || slices.ContainsFunc(g.cluster.ready(to.namespace, to.name), func(pod *corev1.Pod) bool { return !g.cluster.Real(pod) })
}

// asks asks the providers of the CUSTOM policies that a request meets. It returns false after it has responded for one that denied.
func (g *Gateway) asks(w http.ResponseWriter, q request, custom []unstructured.Unstructured, all map[string]*authorizer) bool {
	for _, policy := range custom {
		if !q.meets(policy) {
			continue
		}
		provider := all[providerOf(policy)]
		if provider == nil { // Istio denies everything for a provider that it does not know
			http.Error(w, "RBAC: access denied", http.StatusForbidden)
			return false
		}
		if !g.ask(w, q, provider) {
			return false
		}
	}
	return true
}

// ask sends what Envoy's ext_authz filter sends, and applies the response as it does.
func (g *Gateway) ask(w http.ResponseWriter, q request, provider *authorizer) bool {
	response := g.check(q.Context(), q, provider)
	switch {
	case response == nil || response.StatusCode >= http.StatusInternalServerError:
		status := http.StatusForbidden
		if on, err := strconv.Atoi(provider.StatusOnError); err == nil {
			status = on
		}
		if !provider.FailOpen {
			w.WriteHeader(status)
		}
		return provider.FailOpen
	case response.StatusCode == http.StatusOK:
		for name, values := range response.Header {
			if among(provider.HeadersToUpstreamOnAllow, name) {
				q.Header[name] = values
			}
			if among(provider.HeadersToDownstreamOnAllow, name) {
				w.Header()[name] = values
			}
		}
		return true
	}
	always := []string{"location", "www-authenticate", "content-length"}
	for name, values := range response.Header {
		if len(provider.HeadersToDownstreamOnDeny) == 0 || among(provider.HeadersToDownstreamOnDeny, name) || among(always, name) {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(response.StatusCode)
	_, _ = io.Copy(w, response.Body)
	return false
}

// check asks a provider, and returns nil if it cannot be reached.
func (g *Gateway) check(ctx context.Context, q request, provider *authorizer) *http.Response {
	to := parseHost(provider.Service, g.pod.Namespace)
	pods := g.cluster.ready(to.namespace, to.name)
	service, err := g.cluster.Services.Services(to.namespace).Get(to.name)
	if err != nil || len(pods) == 0 || g.cluster.Program == nil {
		return nil
	}
	program := g.cluster.Program(pods[g.turn.Add(1)%uint64(len(pods))], service)
	if program == nil {
		return nil
	}
	check, err := http.NewRequestWithContext(ctx, q.Method, "http://"+to.name+strings.TrimSuffix(provider.PathPrefix, "/")+q.URL.RequestURI(), nil)
	if err != nil {
		return nil
	}
	check.Host, check.RemoteAddr = q.Host, q.RemoteAddr
	for name, values := range q.Header {
		if among(slices.Concat(provider.IncludeRequestHeadersInCheck, provider.IncludeHeadersInCheck), name) {
			check.Header[name] = values
		}
	}
	for name, value := range provider.IncludeAdditionalHeadersInCheck {
		check.Header.Set(name, value)
	}
	recorder := httptest.NewRecorder()
	program.ServeHTTP(recorder, check)
	return recorder.Result()
}

func among(patterns []string, header string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return like(strings.ToLower(p), strings.ToLower(header)) })
}
