package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
)

// A Gateway serves HTTP for one gateway pod.
type Gateway struct {
	cluster Cluster
	pod     *corev1.Pod
	turn    *atomic.Uint64 // round robin over the pods behind a Service
}

// New creates the gateway that runs in a pod.
func New(cluster Cluster, pod *corev1.Pod) *Gateway {
	return &Gateway{cluster: cluster, pod: pod, turn: &turns}
}

var turns atomic.Uint64

func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Server", "istio-envoy")
	ctx := r.Context()
	if !hasKubeflowGateway(g.cluster.list(ctx, gateways, "kubeflow")) {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if r.TLS == nil && g.cluster.onward(ctx) {
		w.Header().Set("Location", "https://"+r.Host+r.URL.RequestURI())
		w.WriteHeader(http.StatusMovedPermanently)
		return
	}
	r.Header.Set("X-Forwarded-Proto", map[bool]string{true: "https", false: "http"}[r.TLS != nil])
	system := g.pod.Namespace
	if excepted(g.cluster.list(ctx, authorizationPolicies, system), r.URL.Path) {
		w.WriteHeader(http.StatusNotFound) // the sandbox serves nothing there
		return
	}
	if !g.authenticate(w, r, system) {
		return
	}
	to, ok := route(g.cluster.list(ctx, virtualServices, ""), r.URL.Path)
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	g.forward(w, r, to)
}

func redirect(w http.ResponseWriter, location string) {
	w.Header().Set("Location", location)
	w.WriteHeader(http.StatusFound)
}

// forward responds for the Service behind the gateway, if the mesh allows the
// connection.
func (g *Gateway) forward(w http.ResponseWriter, r *http.Request, to host) {
	ctx := r.Context()
	pods := g.cluster.ready(to.namespace, to.name)
	if len(pods) == 0 {
		http.Error(w, "no healthy upstream", http.StatusServiceUnavailable)
		return
	}
	pod := pods[g.turn.Add(1)%uint64(len(pods))]
	switch tlsMode(g.cluster.list(ctx, destinationRules, ""), to) {
	case "ISTIO_MUTUAL", "MUTUAL":
		if !Meshed(pod) {
			http.Error(w, "upstream connect error or disconnect/reset before headers. reset reason: connection failure", http.StatusServiceUnavailable)
			return
		}
	case "DISABLE":
		if Meshed(pod) && wantsPrincipal(g.cluster.list(ctx, authorizationPolicies, to.namespace), pod) {
			http.Error(w, "RBAC: access denied", http.StatusForbidden)
			return
		}
	}
	if !admits(g.cluster.list(ctx, authorizationPolicies, to.namespace), g.pod, pod, r) {
		http.Error(w, "RBAC: access denied", http.StatusForbidden)
		return
	}
	if to.name == "dex" && g.simulatesDex(ctx) && g.dex(w, r) || g.program(w, r, to, pod) {
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, "<!doctype html>\n<html><head><title>%s</title></head><body>%s/%s</body></html>\n", title(to), to.namespace, to.name)
}

// program serves a request by the program that runs in a pod. It returns false if none is simulated there.
func (g *Gateway) program(w http.ResponseWriter, r *http.Request, to host, pod *corev1.Pod) bool {
	if g.cluster.Program == nil {
		return false
	}
	service, err := g.cluster.Services.Services(to.namespace).Get(to.name)
	if err != nil {
		return false
	}
	handler := g.cluster.Program(pod, service)
	if handler == nil {
		return false
	}
	handler.ServeHTTP(w, r)
	return true
}

func title(to host) string {
	titles := map[string]string{
		"centraldashboard": "Kubeflow Central Dashboard", "dashboard": "Kubeflow Central Dashboard",
		"ml-pipeline-ui": "Kubeflow Pipelines", "dex": "dex",
	}
	if t := titles[to.name]; t != "" {
		return t
	}
	return to.name
}

func mustJSON(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil { // it was parsed from JSON
		panic(err)
	}
	return text
}
