package aks

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/dex"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/egress"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/process"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/signin"
)

// realSignIn prepares oauth2-proxy and dex, and their way into the network.
func (a *AKS) realSignIn() error {
	o := signin.Options{Client: a.client, CA: a.o.CA.Cert, Dex: dex.NewStore(), Transport: a.outbound()}
	if a.o.with(SignIn) && a.o.with(Pods) {
		o.OAuth2Proxy = a.o.OAuth2Proxy
	}
	var err error
	if a.egress, err = egress.Listen(a.dialHost); err != nil {
		return err
	}
	if err := a.listenAsEntra(); err != nil {
		return err
	}
	o.Egress = a.egress.Address
	a.signIn, err = process.New(a.factory, signin.Programs(o)...)
	return err
}

// signInProgram is what listens on a port of a pod of oauth2-proxy or dex: the program on the first port that the pod declares.
func (a *AKS) signInProgram(pod *corev1.Pod, port int32) http.Handler {
	for i := range pod.Spec.Containers {
		if c := &pod.Spec.Containers[i]; c.Name != "istio-proxy" && len(c.Ports) > 0 && c.Ports[0].ContainerPort != port {
			return nil
		}
	}
	if handler := a.signIn.Handler(pod); handler != nil {
		return handler
	}
	return nil
}

// outbound is how istiod connects when it fetches keys.
func (a *AKS) outbound() *http.Transport {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	roots.AppendCertsFromPEM(a.o.CA.Cert)
	return &http.Transport{DialContext: a.dialHost, DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
}

// dialHost connects to a name as a pod would: a Service of the cluster, or a host outside.
func (a *AKS) dialHost(ctx context.Context, network, address string) (net.Conn, error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return nil, err
	}
	if a.provider != nil && slices.Contains(microsoft, host) {
		return new(net.Dialer).DialContext(ctx, network, a.provider.Addr().String())
	}
	name, ok := a.serviceOf(host)
	if !ok {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	if name.Namespace == "default" && name.Name == "kubernetes" {
		return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(a.o.Config.Host, "https://"))
	}
	service, err := a.mesh.Services.Services(name.Namespace).Get(name.Name)
	if err != nil {
		return nil, fmt.Errorf("dial tcp: lookup %s: no such host", host)
	}
	for _, declared := range service.Spec.Ports {
		if declared.Port != int32(port) {
			continue
		}
		for _, pod := range a.podsBehind(name) {
			if handler := a.behindPod(pod, target(declared, pod)); handler != nil {
				return a.board.Connect(handler, a.certify(pod, target(declared, pod)))
			}
		}
	}
	return nil, fmt.Errorf("dial tcp %s: connect: connection refused", net.JoinHostPort(service.Spec.ClusterIP, text))
}

// serviceOf returns the Service that a name is of, and whether it is one: with its namespace, as Kubeflow's settings have it.
func (a *AKS) serviceOf(host string) (types.NamespacedName, bool) {
	parts := strings.Split(strings.TrimSuffix(host, "."), ".")
	if len(parts) < 2 || len(parts) > 2 && parts[2] != "svc" {
		return types.NamespacedName{}, false
	}
	name := types.NamespacedName{Namespace: parts[1], Name: parts[0]}
	if len(parts) > 2 {
		return name, true
	}
	_, err := a.mesh.Services.Services(name.Namespace).Get(name.Name)
	return name, err == nil
}
