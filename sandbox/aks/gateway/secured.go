package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// mounted is the Secret that gateways before Istio 1.5 mount as files.
const mounted = "istio-ingressgateway-certs"

var secrets = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}

// servers returns the servers of the Kubeflow Gateway.
func (c Cluster) servers(ctx context.Context) []map[string]any {
	var all []map[string]any
	for _, gateway := range c.list(ctx, gateways, "kubeflow") {
		if gateway.GetName() != "kubeflow-gateway" {
			continue
		}
		list, _, _ := unstructured.NestedSlice(gateway.Object, "spec", "servers")
		for _, item := range list {
			if server, ok := item.(map[string]any); ok {
				all = append(all, server)
			}
		}
	}
	return all
}

// secured returns the server that terminates TLS, nil if there is none.
func (c Cluster) secured(ctx context.Context) map[string]any {
	for _, server := range c.servers(ctx) {
		if protocol, _, _ := unstructured.NestedString(server, "port", "protocol"); protocol == "HTTPS" {
			return server
		}
	}
	return nil
}

// onward reports whether plain HTTP redirects to HTTPS.
func (c Cluster) onward(ctx context.Context) bool {
	for _, server := range c.servers(ctx) {
		if on, _, _ := unstructured.NestedBool(server, "tls", "httpsRedirect"); on {
			return true
		}
	}
	return false
}

// Certificate returns a gateway's certificate for a port, from the Secret that its HTTPS server names.
func (c Cluster) Certificate(pod *corev1.Pod, port int32) (*tls.Certificate, error) {
	ctx := context.Background()
	server := c.secured(ctx)
	if server == nil || port != 443 && port != 8443 {
		return nil, errors.New("TLS is not served here")
	}
	name, _, _ := unstructured.NestedString(server, "tls", "credentialName")
	if file, _, _ := unstructured.NestedString(server, "tls", "serverCertificate"); file != "" {
		name = mounted
	}
	found, err := c.Istio.Resource(secrets).Namespace(pod.Namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	var secret corev1.Secret
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(found.Object, &secret); err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	return &pair, err
}

// Ask requests a page from a gateway over plain HTTP and returns the status code.
func Ask(g *Gateway, host, path string) int {
	request := httptest.NewRequest(http.MethodGet, "http://"+host+path, nil)
	response := httptest.NewRecorder()
	g.ServeHTTP(response, request)
	return response.Code
}
