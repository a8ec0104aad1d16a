package expose_test

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/sandboxtest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/loadbalancer"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/tls"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A live is a real API server with one shape of Kubeflow on it.
type live struct {
	shape, kubernetes, kubeconfig string
	client                        *cluster.Client
}

// lives are started once; each test reverts what it changes.
var lives = []*live{
	{shape: "1.2", kubernetes: "1.21"},
	{shape: "26.03", kubernetes: "1.35"},
}

func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		os.Exit(m.Run())
	}
	stops := make([]func(), len(lives))
	var starting sync.WaitGroup
	for i, l := range lives {
		starting.Go(func() {
			l.kubeconfig, stops[i] = sandboxtest.Start("--kubernetes="+l.kubernetes, "--network-policy")
		})
	}
	starting.Wait()
	code := m.Run()
	for _, stop := range stops {
		stop()
	}
	os.Exit(code)
}

// onEach runs a test on a real API server with each shape.
func onEach(t *testing.T, test func(t *testing.T, ctx context.Context, l *live)) {
	sandboxtest.Needed(t)
	for _, l := range lives {
		t.Run(l.shape, func(t *testing.T) {
			ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
			defer stop()
			l.prepare(t, ctx)
			test(t, ctx, l)
		})
	}
}

// onAddresses is onEach for a test in which load balancers get addresses.
func onAddresses(t *testing.T, test func(t *testing.T, ctx context.Context, l *live)) {
	if !testing.Short() {
		sandboxtest.NeedsAddresses(t)
	}
	onEach(t, test)
}

// prepare applies the shape to the cluster, the first time, and removes what an earlier test left.
func (l *live) prepare(t *testing.T, ctx context.Context) {
	t.Helper()
	if l.client == nil {
		l.client = sandboxtest.Connect(t, l.kubeconfig)
		l.apply(t, read(t, "testdata/live-kinds.yaml"))
		l.kubectl(t, "", "wait", "--for=condition=Established", "crd", "--all")
		l.apply(t, l.objects(t))
		l.apply(t, read(t, "testdata/live-dashboard.yaml"))
	}
	for _, deployment := range []string{"-n=istio-system deployment/istio-ingressgateway", "-n=kubeflow deployment/centraldashboard"} {
		l.kubectl(t, "", append([]string{"rollout", "status", "--timeout=60s"}, strings.Fields(deployment)...)...)
	}
	if l.shape == "26.03" {
		l.kubectl(t, "", "rollout", "status", "--timeout=60s", "-n=oauth2-proxy", "deployment/oauth2-proxy")
	}
	l.remove(t, ctx)
	l.kubectl(t, "", "delete", "service", "-n=istio-system", dashboard.LoadBalancerName, "--ignore-not-found")
}

// objects returns the shape without what the cluster creates: pods and statuses.
func (l *live) objects(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	for _, o := range parsed(t, read(t, "testdata/shapes/"+l.shape+".yaml")) {
		if o.GetKind() == "Pod" {
			continue
		}
		delete(o.Object, "status")
		o.SetGeneration(0)
		body, err := yaml.Marshal(o.Object)
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString("---\n" + string(body))
	}
	return out.String()
}

func (l *live) apply(t *testing.T, text string) { t.Helper(); l.kubectl(t, text, "apply", "-f", "-") }

func (l *live) kubectl(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.Command(sandboxtest.Kubectl(l.kubernetes), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+l.kubeconfig)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("kubectl %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func (l *live) look(t *testing.T, ctx context.Context) expose.Target {
	t.Helper()
	target, err := expose.Read(ctx, l.client.View())
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func (l *live) plan(t *testing.T, ctx context.Context, o expose.Options) (tls.Target, loadbalancer.Plan) {
	t.Helper()
	view := l.client.View()
	target, err := expose.Read(ctx, view)
	if err != nil {
		t.Fatal(err)
	}
	secure := tls.Read(ctx, view, target, o)
	plan, err := loadbalancer.NewPlan(secure, o)
	if err != nil {
		t.Fatal(err)
	}
	return secure, plan
}

// expose does what expose --lb does, and returns the URL.
func (l *live) expose(t *testing.T, ctx context.Context, o expose.Options) string {
	t.Helper()
	target, plan := l.plan(t, ctx, o)
	if err := expose.Apply(ctx, l.client, plan.Changes, false); err != nil {
		t.Fatal(err)
	}
	request, err := loadbalancer.Await(ctx, l.client, target.Target, plan, func(problem.Error) {})
	if err != nil {
		t.Fatal(err)
	}
	return request.URL
}

func (l *live) remove(t *testing.T, ctx context.Context) {
	t.Helper()
	made, err := expose.ReadInventory(ctx, l.client.View())
	if err != nil {
		t.Fatal(err)
	}
	if err := expose.Remove(ctx, l.client, expose.PlanRemoval(made), expose.Removal{Timeout: time.Minute}); err != nil {
		t.Fatal(err)
	}
}

// service returns the Service that carries the address; nil when there is none.
func (l *live) service(t *testing.T, ctx context.Context) *unstructured.Unstructured {
	t.Helper()
	o, err := cluster.IgnoreNotFound(l.client.View().Get(ctx, loadbalancer.ServiceRef("istio-system")))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// state returns the Services and NetworkPolicies of the gateway's namespace with their versions: what a removal must not touch.
func (l *live) state(t *testing.T, ctx context.Context) map[string]string {
	t.Helper()
	state := map[string]string{}
	list, err := l.client.Kube.CoreV1().Services("istio-system").List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list.Items {
		state["Service/"+s.Name] = s.ResourceVersion
	}
	rules, err := l.client.Kube.NetworkingV1().NetworkPolicies("istio-system").List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range rules.Items {
		state["NetworkPolicy/"+p.Name] = p.ResourceVersion
	}
	return state
}
