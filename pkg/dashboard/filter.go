package dashboard

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A filterVerdict is what an EnvoyFilter does to requests at the gateway.
type filterVerdict struct {
	checks  string // the Envoy cluster that it asks about every request; "" when it asks none
	unknown string // why it is not understood: it may let anonymous requests in; "" when it is
	narrow  string // why its check is not about every request
	old     bool   // its check has the form that Istio understands up to 1.5
}

// judgeFilter decides what an EnvoyFilter does at gateways. Envoy runs whatever it is configured to, so only patches that are
// known to leave authentication as it is are accepted.
func judgeFilter(f *unstructured.Unstructured) filterVerdict {
	var v filterVerdict
	spec := kube.Map(f.Object, "spec")
	if !only(spec, "workloadSelector", "workloadLabels", "targetRefs", "priority", "configPatches", "filters") {
		return filterVerdict{unknown: fmt.Sprintf("%s has fields that are not understood", cluster.RefOf(f))}
	}
	patches, ok1 := entries(spec, "configPatches")
	filters, ok2 := entries(spec, "filters")
	if !ok1 || !ok2 {
		return filterVerdict{unknown: fmt.Sprintf("%s is invalid", cluster.RefOf(f))}
	}
	for _, patch := range patches {
		v.add(f, judgePatch(patch), kube.Text(patch, "applyTo"))
	}
	for _, old := range filters { // up to Istio 1.5
		v.add(f, judgeOldFilter(old), kube.Text(old, "filterName"))
	}
	if f.GetName() == "add-user-filter" || strings.Contains(fmt.Sprint(spec), `"kubeflow-userid","`) { // Kubeflow 1.2 without authentication
		v.unknown = fmt.Sprintf("%s authenticates every request as the same anonymous user", cluster.RefOf(f))
	}
	return v
}

// add takes over what one patch does.
func (v *filterVerdict) add(f *unstructured.Unstructured, p filterVerdict, what string) {
	if p.unknown != "" && v.unknown == "" {
		v.unknown = fmt.Sprintf("%s changes what the gateway does with requests in a way that is not known to keep authentication (%s: %s)", cluster.RefOf(f), what, p.unknown)
	}
	if p.checks != "" {
		v.checks, v.old = p.checks, p.old
	}
	if p.narrow != "" {
		v.narrow = fmt.Sprintf("%s checks requests only where %s", cluster.RefOf(f), p.narrow)
	}
}

func unknown(format string, args ...any) filterVerdict {
	return filterVerdict{unknown: fmt.Sprintf(format, args...)}
}

// judgePatch decides about one entry of configPatches. Those for sidecars are not about the gateway.
func judgePatch(patch map[string]any) filterVerdict {
	match, change := kube.Map(patch, "match"), kube.Map(patch, "patch")
	switch context := kube.Text(match, "context"); {
	case context == "SIDECAR_INBOUND" || context == "SIDECAR_OUTBOUND":
		return filterVerdict{}
	case context != "" && context != "ANY" && context != "GATEWAY", patch["match"] != nil && match == nil:
		return unknown("a match that is not understood")
	}
	operation, value := kube.Text(change, "operation"), kube.Map(change, "value")
	inserts := strings.HasPrefix(operation, "INSERT_") || operation == "ADD"
	switch to := kube.Text(patch, "applyTo"); {
	case to == "HTTP_FILTER" && inserts:
		return judgeHTTPFilter(match, operation, value)
	case to == "NETWORK_FILTER" && inserts && isStats(value):
	case to == "NETWORK_FILTER" && operation == "MERGE" && connectionManagers[kube.Text(value, "name")] && only(value, "name", "typed_config") && only(kube.Map(value, "typed_config"), connectionSettings...):
	case to == "CLUSTER" && operation == "ADD" && !strings.Contains(kube.Text(value, "name"), "|"):
	case to == "LISTENER" && operation == "MERGE" && only(value, "per_connection_buffer_limit_bytes"):
	default:
		return unknown("%s", strings.TrimSpace(operation+" "+kube.Text(value, "name")))
	}
	return filterVerdict{}
}

var connectionManagers = map[string]bool{"envoy.http_connection_manager": true, "envoy.filters.network.http_connection_manager": true}

// connectionSettings are limits, names and logs of the HTTP connection manager. Its filters and routes are not among them.
var connectionSettings = []string{
	"@type", "max_request_headers_kb", "stream_idle_timeout", "request_timeout", "request_headers_timeout", "drain_timeout", "delayed_close_timeout",
	"common_http_protocol_options", "http_protocol_options", "http2_protocol_options", "access_log", "server_name", "server_header_transformation",
	"preserve_external_request_id", "generate_request_id", "tracing", "stat_prefix", "xff_num_trusted_hops", "use_remote_address",
}

// plainFilters are Envoy's HTTP filters that neither answer in the dashboard's place nor change who a request is from.
var plainFilters = []string{"compressor", "gzip", "local_ratelimit", "ratelimit", "buffer", "cors", "grpc_stats"}

// judgeHTTPFilter decides about a filter that is inserted into the chain of the gateway's HTTP filters.
func judgeHTTPFilter(match map[string]any, operation string, value map[string]any) filterVerdict {
	kind := kube.Text(value, "typed_config", "@type")
	name, _ := strings.CutPrefix(kind, "type.googleapis.com/envoy.extensions.filters.http.")
	name, _, _ = strings.Cut(name, ".")
	switch {
	case !only(value, "name", "typed_config", "config"):
		return unknown("a filter with settings that are not understood")
	case isStats(value), isForwardedHost(value), slices.Contains(plainFilters, name):
		return filterVerdict{}
	case kind != extAuthz && !(value["typed_config"] == nil && isExtAuthz(kube.Text(value, "name"))):
		return unknown("%s %s", operation, kube.Text(value, "name"))
	}
	config := kube.Map(value, "typed_config")
	if config == nil {
		config = kube.Map(value, "config") // of old releases of Envoy
	}
	v := judgeExtAuthz(config)
	if v.checks != "" {
		v.narrow = notEverywhere(match, operation)
	}
	return v
}

// extAuthz is the type of Envoy's external authorization.
const extAuthz = "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz"

func isExtAuthz(name string) bool {
	return name == "envoy.ext_authz" || name == "envoy.filters.http.ext_authz"
}

// notEverywhere returns in which case a filter runs for only some requests, or not at all; "" when it runs for every one.
func notEverywhere(match map[string]any, operation string) string {
	listener := kube.Map(match, "listener")
	chain := kube.Map(listener, "filterChain")
	manager := kube.Map(chain, "filter")
	before := kube.Text(manager, "subFilter", "name")
	switch {
	case !only(match, "context", "listener") || !only(listener, "filterChain"):
		return "its match fits: it names ports, listeners or proxies"
	case !only(chain, "filter") || !only(manager, "name", "subFilter"), manager != nil && !connectionManagers[kube.Text(manager, "name")]:
		return "its match fits: it names some filter chains"
	case operation != "INSERT_BEFORE" && operation != "INSERT_FIRST":
		return "it runs: " + operation + " may put it after the router"
	case before != "" && before != "envoy.router" && before != "envoy.filters.http.router":
		return "filter " + before + " exists"
	}
	return ""
}

// judgeExtAuthz decides about the settings of Envoy's external authorization.
func judgeExtAuthz(config map[string]any) filterVerdict {
	for key, value := range config {
		switch key {
		case "@type", "transport_api_version", "with_request_body", "status_on_error", "statusOnError", "stat_prefix", "include_peer_certificate", "clear_route_cache":
		case "http_service", "httpService", "grpc_service", "grpcService", "allowed_headers":
		case "failure_mode_allow", "failureModeAllow":
			if value != false {
				return unknown("failure_mode_allow lets requests pass when the check fails")
			}
		default:
			return unknown("ext_authz with %s", key)
		}
	}
	var service map[string]any
	for _, key := range []string{"http_service", "httpService"} {
		if http := kube.Map(config, key); http != nil {
			for _, part := range []string{"authorization_request", "authorizationRequest"} {
				if !only(kube.Map(http, part), "allowed_headers", "allowedHeaders") {
					return unknown("ext_authz adds headers to the request that it checks")
				}
			}
			if !only(http, "server_uri", "serverUri", "authorization_request", "authorizationRequest", "authorization_response", "authorizationResponse") {
				return unknown("ext_authz with a path_prefix or other settings that are not understood")
			}
			service = kube.Map(http, "server_uri")
			if service == nil {
				service = kube.Map(http, "serverUri")
			}
		}
	}
	asked := kube.Text(service, "cluster")
	if asked == "" {
		asked = kube.Text(config, "grpc_service", "envoy_grpc", "cluster_name")
	}
	if asked == "" {
		return unknown("ext_authz without a service to ask")
	}
	return filterVerdict{checks: asked}
}

// judgeOldFilter decides about a filter in the form of Istio up to 1.5.
func judgeOldFilter(old map[string]any) filterVerdict {
	match := kube.Map(old, "listenerMatch")
	kind := kube.Text(match, "listenerType")
	switch {
	case strings.HasPrefix(kind, "SIDECAR_"):
		return filterVerdict{}
	case kube.Text(old, "filterType") != "HTTP" || !isExtAuthz(kube.Text(old, "filterName")):
		return unknown("%s", kube.Text(old, "filterName"))
	}
	v := judgeExtAuthz(kube.Map(old, "filterConfig"))
	v.old = v.checks != ""
	if position := kube.Text(old, "insertPosition", "index"); v.checks != "" && (!only(match, "listenerType") || position != "FIRST") {
		v.narrow = "its match fits, and it runs first"
	}
	return v
}

// oldProxy is the image of a proxy of Istio that reads EnvoyFilters in their old form.
var oldProxy = regexp.MustCompile(`/proxyv2:1\.[0-5](\.|-|$)`)

// isStats reports whether a filter is one of Istio's own for metrics, which are compiled into its proxy.
func isStats(value map[string]any) bool {
	if kube.Text(value, "name") != "istio.stats" {
		return false
	}
	config := kube.Map(value, "typed_config", "value", "config")
	machine := kube.Map(config, "vm_config")
	compiled := kube.Text(machine, "runtime") == "envoy.wasm.runtime.null" && kube.Text(machine, "code", "local", "inline_string") == "envoy.wasm.stats"
	kind := kube.Text(value, "typed_config", "type_url") + kube.Text(value, "typed_config", "@type")
	return compiled || strings.Contains(kind, "stats.PluginConfig") && config == nil
}

var spaces = regexp.MustCompile(`\s+`)

// forwardedHost is the digest of the script with which Kubeflow 1.8 passes on the host that a browser asked for.
const forwardedHost = "975e9fd531cad13b1f6492d440281cc9fa7e39707c7a53d4012232885e646a0e"

func isForwardedHost(value map[string]any) bool {
	config := kube.Map(value, "typed_config")
	return kube.Text(value, "name") == "envoy.filters.http.lua" && only(config, "@type", "inlineCode") && ShippedScript(kube.Text(config, "inlineCode"))
}

// ShippedScript reports whether a text is the script of an EnvoyFilter that Kubeflow ships.
func ShippedScript(code string) bool {
	sum := sha256.Sum256([]byte(spaces.ReplaceAllString(strings.TrimSpace(code), " ")))
	return hex.EncodeToString(sum[:]) == forwardedHost
}
