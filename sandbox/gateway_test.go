package main

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/build"
)

const gatewayManifest = `
apiVersion: v1
kind: Namespace
metadata: {name: istio-system}
---
apiVersion: v1
kind: Service
metadata: {name: istio-ingressgateway, namespace: istio-system}
spec:
  type: LoadBalancer
  selector: {istio: ingressgateway}
  ports: [{name: http2, port: 8880, targetPort: 8080}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: istio-ingressgateway, namespace: istio-system}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
  template:
    metadata: {labels: {istio: ingressgateway}}
    spec:
      containers: [{name: istio-proxy, image: istio/proxyv2, ports: [{containerPort: 8080}]}]
`

// gatewayAnswers goes both ways to the gateway that a user goes. Without any
// route a gateway says 404, in Envoy's name.
func gatewayAnswers(t *testing.T, kubeconfig string) {
	programs, err := build.Ensure(t.Context(), build.Default, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	kubectl := func(args ...string) *exec.Cmd {
		return exec.CommandContext(t.Context(), programs.Kubectl, append([]string{"--kubeconfig=" + kubeconfig, "--namespace=istio-system"}, args...)...)
	}
	apply := kubectl("apply", "-f", "-")
	apply.Stdin = strings.NewReader(gatewayManifest)
	if out, err := apply.CombinedOutput(); err != nil {
		t.Fatalf("kubectl apply: %v\n%s", err, out)
	}
	if out, err := kubectl("rollout", "status", "deployment/istio-ingressgateway", "--timeout=60s").CombinedOutput(); err != nil {
		t.Fatalf("kubectl rollout status: %v\n%s", err, out)
	}
	address := ""
	eventually(t, "the load balancer gives an address", func() bool {
		out, err := kubectl("get", "service", "istio-ingressgateway", "-o", "jsonpath={.status.loadBalancer.ingress[0].ip}").Output()
		address = string(out)
		return err == nil && address != ""
	})
	ask(t, "http://"+address+":8880")

	forward := kubectl("port-forward", "--address=127.0.0.1", "service/istio-ingressgateway", ":8880")
	out, err := forward.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := forward.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = forward.Process.Kill(); _ = forward.Wait() }()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	local, _, _ := strings.Cut(strings.TrimPrefix(line, "Forwarding from "), " ")
	ask(t, "http://"+local)
}

func ask(t *testing.T, url string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusNotFound || response.Header.Get("Server") != "istio-envoy" {
		t.Errorf("%s answers %s in the name of %q", url, response.Status, response.Header.Get("Server"))
	}
}
