package dashboard

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// An authenticator is the Service that the gateway asks about requests.
type authenticator struct {
	name      string // as people know it: "oauth2-proxy"
	namespace string
	service   string
	port      int64    // 0 when it is not known
	headers   []string // the headers of a request that it gets to see besides those that describe the connection
	http      bool     // headers are limited to these
	product   string   // "oauth2-proxy" or "authservice"; "" of other makers
}

// askedBy returns the authenticator that a provider of the mesh names. unsuited is why it does not authenticate every request that
// it is asked about.
func askedBy(name string, provider map[string]any) (a authenticator, unsuited string) {
	a.name = name
	var settings map[string]any
	for key, value := range provider {
		switch key {
		case "name":
		case "envoyExtAuthzHttp":
			settings, a.http = kube.Map(provider, key), true
		case "envoyExtAuthzGrpc":
			settings = kube.Map(provider, key)
		default:
			return a, fmt.Sprintf("is a provider with %s, which does not authorize requests", key)
		}
		_ = value
	}
	if len(provider) != 2 || settings == nil {
		return a, "is not a provider that authorizes requests"
	}
	for _, key := range sortedKeys(settings) {
		switch key {
		case "service", "port", "timeout", "pathPrefix", "clearRouteCache", "statusOnError", "headersToUpstreamOnAllow",
			"headersToDownstreamOnDeny", "headersToDownstreamOnAllow", "includeRequestBodyInCheck":
		case "includeRequestHeadersInCheck", "includeHeadersInCheck":
			a.headers = append(a.headers, kube.Texts(settings, key)...)
		case "includeAdditionalHeadersInCheck":
			for header := range kube.Map(settings, key) {
				if !slices.Contains([]string{"x-auth-request-redirect", "x-forwarded-proto", "x-forwarded-host"}, strings.ToLower(header)) {
					return a, "gets header " + header + " added to every request that it checks, which may sign in everyone"
				}
			}
		case "failOpen":
			if settings[key] != false {
				return a, "lets every request pass while it does not answer (failOpen)"
			}
		default:
			return a, "has the setting " + key + ", which is not understood"
		}
	}
	host := kube.Text(settings, "service")
	if _, after, found := strings.Cut(host, "/"); found {
		host = after
	}
	if !a.at(host) {
		return a, fmt.Sprintf("is at %q: whether it runs cannot be seen in the cluster", host)
	}
	switch port := settings["port"].(type) {
	case int64:
		a.port = port
	case float64:
		a.port = int64(port)
	}
	return a, ""
}

// at sets the Service by its DNS name; false if it is none of the cluster.
func (a *authenticator) at(host string) bool {
	parts := strings.Split(strings.TrimSuffix(host, "."), ".")
	inCluster := len(parts) == 2 || len(parts) >= 3 && parts[2] == "svc" && (len(parts) == 3 || slices.Equal(parts[3:], []string{"cluster", "local"}))
	if !inCluster || parts[0] == "" || parts[1] == "" {
		return false
	}
	a.service, a.namespace = parts[0], parts[1]
	return true
}

// inCluster returns the authenticator behind an Envoy cluster: one of Istio's (outbound|8080||authservice.istio-system.svc.cluster.local),
// or one that an EnvoyFilter adds.
func inCluster(name string, filters []*unstructured.Unstructured) (a authenticator, ok bool) {
	host := ""
	if parts := strings.Split(name, "|"); len(parts) == 4 && parts[0] == "outbound" && parts[2] == "" {
		host = parts[3]
		a.port, _ = strconv.ParseInt(parts[1], 10, 64)
	}
	for _, f := range filters {
		for _, patch := range kube.Items(f.Object, "spec", "configPatches") {
			added := kube.Map(patch, "patch", "value")
			if kube.Text(patch, "applyTo") != "CLUSTER" || kube.Text(added, "name") != name {
				continue
			}
			for _, e := range kube.Items(added, "load_assignment", "endpoints") {
				for _, end := range kube.Items(e, "lb_endpoints") {
					host = kube.Text(end, "endpoint", "address", "socket_address", "address")
				}
			}
		}
	}
	ok = a.at(host)
	a.name = a.service
	return a, ok
}

// judge returns the verdict on an authenticator: whether it runs, and whether its own settings let anonymous requests pass.
func (a authenticator) judge(ctx context.Context, view cluster.View, reason string) Authentication {
	verdict := Authentication{By: a.name, Reason: reason, signIn: &a}
	why, err := a.weakness(ctx, view)
	switch {
	case err != nil:
		verdict.Reason, verdict.Unread = reason+", which could not be read: "+err.Error(), err
	case why != "":
		verdict.Reason = reason + ", which " + why
	default:
		verdict.Proven = true
	}
	return verdict
}

// weakness returns why an authenticator does not keep anonymous requests out; "" when it does.
func (a *authenticator) weakness(ctx context.Context, view cluster.View) (string, error) {
	workload, err := a.workload(ctx, view)
	if err != nil {
		return "", err
	}
	if workload != nil {
		if ready, why := cluster.Ready(workload); !ready {
			return "is not ready: " + why, nil
		}
	}
	running, err := a.running(ctx, view, workload)
	switch {
	case err != nil:
		return "", err
	case running != "":
		return "is not ready: " + running, nil
	}
	return a.openSettings(ctx, view, workload)
}

// workload returns the Deployment or StatefulSet behind the Service; nil when there is none that it selects.
func (a authenticator) workload(ctx context.Context, view cluster.View) (*unstructured.Unstructured, error) {
	service, err := cluster.IgnoreNotFound(view.Get(ctx, a.ref()))
	if err != nil || service == nil {
		return nil, err
	}
	selector, _, _ := unstructured.NestedStringMap(service.Object, "spec", "selector")
	if len(selector) == 0 {
		return nil, nil
	}
	for _, kind := range workloadKinds {
		all, err := view.List(ctx, kind, cluster.Scope{Namespace: a.namespace})
		if err != nil {
			return nil, err
		}
		for _, o := range all {
			podLabels, _, _ := unstructured.NestedStringMap(o.Object, "spec", "template", "metadata", "labels")
			if labels.SelectorFromSet(selector).Matches(labels.Set(podLabels)) {
				return o, nil
			}
		}
	}
	return nil, nil
}

func (a authenticator) ref() cluster.Ref {
	return cluster.Ref{APIVersion: "v1", Kind: "Service", Namespace: a.namespace, Name: a.service}
}

// running returns why nothing answers at the Service; "" when something does.
func (a authenticator) running(ctx context.Context, view cluster.View, workload *unstructured.Unstructured) (string, error) {
	object, err := cluster.IgnoreNotFound(view.Get(ctx, a.ref()))
	if err != nil {
		return "", err
	}
	if object == nil {
		return "there is no " + a.ref().String(), nil
	}
	service, err := cluster.As[corev1.Service](object)
	if err != nil {
		return "", err
	}
	if a.port != 0 && PortOf(service, int32(a.port)) == nil {
		return fmt.Sprintf("%s has no port %d", a.ref(), a.port), nil
	}
	slicesOf, err := listed[discoveryv1.EndpointSlice](ctx, view, kube.EndpointSliceKind, cluster.Scope{
		Namespace: a.namespace, Labels: discoveryv1.LabelServiceName + "=" + a.service,
	})
	if err != nil {
		return "", err
	}
	for _, slice := range slicesOf {
		for _, endpoint := range slice.Endpoints {
			if endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready {
				return "", nil
			}
		}
	}
	if len(slicesOf) == 0 && workload != nil && kube.Number(workload.Object, "status", "readyReplicas") > 0 {
		return "", nil // no EndpointSlice was written yet
	}
	return fmt.Sprintf("Service %s/%s has no ready endpoints", a.namespace, a.service), nil
}
