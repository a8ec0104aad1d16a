package aks_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/build"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/cluster"
)

// A live is AKS beside a real control plane.
type live struct {
	*cluster.Cluster
	version string
}

// TestBesideARealControlPlane runs what fake clients cannot show: the API server
// itself calls the webhooks, the scheduler waits for volumes, and so on.
func TestBesideARealControlPlane(t *testing.T) {
	for _, version := range build.Versions() {
		t.Run("Kubernetes "+version, func(t *testing.T) {
			c, err := cluster.Start(t.Context(), cluster.Options{
				Name: fmt.Sprintf("aks-%s-%d", version, os.Getpid()), Kubernetes: version, Nodes: 1, NetworkPolicy: true, Log: os.Stderr,
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.Stop)
			l := live{c, version}
			t.Run("a webhook refuses until its Service is ready, then allows", l.webhook)
			t.Run("an aggregated API serves webhooks", l.aggregated)
			t.Run("objects are converted", l.conversion)
			t.Run("the enforcer keeps the injector away until it is told not to", l.injection)
			t.Run("a claim is bound once its pod is placed", l.storage)
			t.Run("the MPI operator crashes and says why", l.crash)
			t.Run("a network policy silences the load balancer", l.policy)
		})
	}
}

func (l live) kubectl(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), l.Kubectl, append([]string{"--kubeconfig=" + l.Kubeconfig}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// run is kubectl that must succeed.
func (l live) run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := l.kubectl(t, "", args...)
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (l live) apply(t *testing.T, manifest string) {
	t.Helper()
	if out, err := l.kubectl(t, manifest, "apply", "-f", "-"); err != nil {
		t.Fatalf("kubectl apply: %v\n%s", err, out)
	}
}

// until asks kubectl again and again until its answer is as it should be.
func (l live) until(t *testing.T, met func(out string) bool, args ...string) string {
	t.Helper()
	answer := ""
	l.eventually(t, func() (string, bool) {
		out, err := l.kubectl(t, "", args...)
		answer = out
		return out, err == nil && met(out)
	})
	return answer
}

// eventually tries until it is well; what try saw last is told if it never is.
func (l live) eventually(t *testing.T, try func() (seen string, well bool)) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		seen, well := try()
		if well {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("it does not happen; last seen:\n%s", seen)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func filled(out string) bool { return out != "" }

// serving is a Deployment with its Service.
func serving(namespace, name, image string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Namespace
metadata: {name: %[1]s}
---
apiVersion: v1
kind: Service
metadata: {name: %[2]s, namespace: %[1]s}
spec: {selector: {app: %[2]s}, ports: [{port: 443}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[2]s, namespace: %[1]s}
spec:
  selector: {matchLabels: {app: %[2]s}}
  template:
    metadata: {labels: {app: %[2]s}}
    spec: {containers: [{name: main, image: %[3]s}]}
`, namespace, name, image)
}

// get asks an address and returns status and body.
func get(ctx context.Context, url string, patience time.Duration) (int, string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

func decodes(text string) bool {
	out, err := base64.StdEncoding.DecodeString(text)
	return err == nil && strings.Contains(string(out), "BEGIN CERTIFICATE")
}
