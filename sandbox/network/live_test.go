package network_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	registrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/nodes"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/build"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/controlplane"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/network"
)

// Real API servers of both versions send their calls through the network.
func TestNetwork(t *testing.T) {
	for _, version := range build.Versions() {
		t.Run("Kubernetes "+version, func(t *testing.T) {
			t.Parallel()
			c := start(t, version)
			t.Run("a webhook without a ready pod is refused, saying why", c.refusesWebhook)
			c.runPod(t)
			t.Run("a webhook with a ready pod is called", c.callsWebhook)
			t.Run("kubectl port-forward over SPDY reaches the pod", func(t *testing.T) { c.forwards(t, "false") })
			t.Run("kubectl port-forward over WebSocket reaches the pod", func(t *testing.T) { c.forwards(t, "true") })
			t.Run("the service proxy reaches the pod", c.proxies)
			t.Run("a port that nothing listens on is refused, saying why", c.refusesPort)
		})
	}
}

// programs plays every program of the cluster.
type programs struct {
	cert  tls.Certificate
	calls atomic.Int64
}

func (p *programs) Dial(_ context.Context, _ types.NamespacedName, _ corev1.ServicePort) (net.Conn, error) {
	client, server := net.Pipe()
	go p.allow(tls.Server(server, &tls.Config{Certificates: []tls.Certificate{p.cert}}))
	return client, nil
}

func (p *programs) DialPod(_ context.Context, pod *corev1.Pod, port int32) (net.Conn, error) {
	if port != 8080 {
		return nil, fmt.Errorf("connection refused: %s does not listen on %d", pod.Name, port)
	}
	client, server := net.Pipe()
	go func() {
		defer server.Close()
		if _, err := http.ReadRequest(bufio.NewReader(server)); err == nil {
			fmt.Fprintf(server, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nthis is %s", pod.Name)
		}
	}()
	return client, nil
}

// allow answers one admission review.
func (p *programs) allow(conn net.Conn) {
	defer conn.Close()
	request, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return
	}
	body, _ := io.ReadAll(request.Body)
	var review admissionv1.AdmissionReview
	if yaml.Unmarshal(body, &review) != nil || review.Request == nil {
		return
	}
	p.calls.Add(1)
	fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"+
		`{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":%q,"allowed":true}}`, review.Request.UID)
}

type live struct {
	client     kubernetes.Interface
	kubectl    string
	kubeconfig string
	programs   *programs
}

func start(t *testing.T, version string) *live {
	binaries, err := build.Ensure(t.Context(), version, os.Stderr)
	must(t, err)
	newest, err := build.Ensure(t.Context(), build.Default, os.Stderr)
	must(t, err)
	dir, err := os.MkdirTemp("", "network") // t.TempDir is too long for a socket
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	egress, err := net.Listen("unix", filepath.Join(dir, "egress.sock"))
	must(t, err)
	control, err := controlplane.Start(t.Context(), controlplane.Options{Programs: binaries, Dir: dir, Context: "test", Egress: egress.Addr().String()})
	must(t, err)
	t.Cleanup(control.Stop)
	client, err := kubernetes.NewForConfig(control.Config)
	must(t, err)
	directory, err := network.NewDirectory(t.Context(), client)
	must(t, err)
	pair, err := control.CA.Server("hook", "hook.default.svc")
	must(t, err)
	cert, err := tls.X509KeyPair(pair.Cert, pair.Key)
	must(t, err)
	backends := &programs{cert: cert}
	kubelet, err := network.NewKubelet(t.Context(), dir, cert, control.KwokAddress(), directory, backends)
	must(t, err)
	go (&network.Proxy{Directory: directory, Backends: backends, APIServer: control.Address(), Kubelet: kubelet}).Serve(t.Context(), egress)

	must(t, nodes.Create(t.Context(), client, nodes.Cluster{Pools: []nodes.Pool{nodes.SystemPool(1)}, Runtime: "containerd://1.7.30-1", KubeletVersion: binaries.Kubernetes}))
	c := &live{client: client, kubectl: newest.Kubectl, kubeconfig: control.Kubeconfig, programs: backends}
	c.register(t, control.CA.CertPEM)
	return c
}

// register makes a Service and has the API server ask it about ConfigMaps.
func (c *live) register(t *testing.T, ca []byte) {
	_, err := c.client.CoreV1().Services("default").Create(t.Context(), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "hook"},
		Spec:       corev1.ServiceSpec{Selector: map[string]string{"app": "hook"}, Ports: []corev1.ServicePort{{Port: 8080}}},
	}, metav1.CreateOptions{})
	must(t, err)
	_, err = c.client.AdmissionregistrationV1().ValidatingWebhookConfigurations().Create(t.Context(), &registrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "hook"},
		Webhooks: []registrationv1.ValidatingWebhook{{
			Name: "hook.example.com", SideEffects: ptr.To(registrationv1.SideEffectClassNone), AdmissionReviewVersions: []string{"v1"},
			ClientConfig:      registrationv1.WebhookClientConfig{CABundle: ca, Service: &registrationv1.ServiceReference{Namespace: "default", Name: "hook", Port: ptr.To[int32](8080)}},
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": "default"}},
			Rules: []registrationv1.RuleWithOperations{{
				Operations: []registrationv1.OperationType{registrationv1.Create},
				Rule:       registrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}},
			}},
		}},
	}, metav1.CreateOptions{})
	must(t, err)
}

func (c *live) createConfigMap(ctx context.Context) error {
	_, err := c.client.CoreV1().ConfigMaps("default").Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "it-"}}, metav1.CreateOptions{})
	return err
}

// The API server needs a moment to notice a new webhook configuration.
func (c *live) refusesWebhook(t *testing.T) {
	eventually(t, func() error {
		err := c.createConfigMap(t.Context())
		if err == nil || !strings.Contains(err.Error(), `no endpoints available for service "default/hook"`) {
			return fmt.Errorf("creating a ConfigMap: %v", err)
		}
		return nil
	})
}

func (c *live) runPod(t *testing.T) {
	_, err := c.client.CoreV1().Pods("default").Create(t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "hook", Labels: map[string]string{"app": "hook"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "hook", Ports: []corev1.ContainerPort{{ContainerPort: 8080}}}}},
	}, metav1.CreateOptions{})
	must(t, err)
}

func (c *live) callsWebhook(t *testing.T) {
	eventually(t, func() error { return c.createConfigMap(t.Context()) })
	if c.programs.calls.Load() == 0 {
		t.Error("the ConfigMap was admitted without a call of the webhook")
	}
}

func (c *live) forwards(t *testing.T, websocket string) {
	cmd := exec.CommandContext(t.Context(), c.kubectl, "--kubeconfig="+c.kubeconfig, "port-forward", "--address=127.0.0.1", "service/hook", ":8080")
	cmd.Env = append(os.Environ(), "KUBECTL_PORT_FORWARD_WEBSOCKETS="+websocket)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	line, err := bufio.NewReader(out).ReadString('\n')
	must(t, err)
	address, _, _ := strings.Cut(strings.TrimPrefix(line, "Forwarding from "), " ")
	for range 2 { // a second connection goes the same way
		response, err := http.Get("http://" + address)
		must(t, err)
		body, err := io.ReadAll(response.Body)
		must(t, err)
		response.Body.Close()
		if string(body) != "this is hook" {
			t.Errorf("the forwarded port answers %q", body)
		}
	}
}

func (c *live) proxies(t *testing.T) {
	body, err := c.client.CoreV1().Services("default").ProxyGet("http", "hook", "8080", "/", nil).DoRaw(t.Context())
	if err != nil || string(body) != "this is hook" {
		t.Errorf("the service proxy answers %q, %v", body, err)
	}
}

func (c *live) refusesPort(t *testing.T) {
	body, err := c.client.CoreV1().Pods("default").ProxyGet("http", "hook", "9", "/", nil).DoRaw(t.Context())
	if err == nil || !strings.Contains(string(body), "hook does not listen on 9") {
		t.Errorf("the pod proxy answers %q, %v", body, err)
	}
}

func eventually(t *testing.T, try func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if err = try(); err == nil {
			return
		}
	}
	t.Fatal(err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
