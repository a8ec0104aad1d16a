//go:build unix

package install

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/discovery"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/sandboxtest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/apply"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/state"
)

// installSourceVariable makes the test binary run an install instead: its value is a source as JSON.
const installSourceVariable = "KUBEFLOW_TEST_INSTALL"

// A source is what installSubprocess installs.
type source struct {
	Kubeconfig, Release, File, Mirror, Cache string
	Skip                                     []string
}

// installSubprocess installs and prints a line for each event, until it is done or killed.
func installSubprocess() int {
	var s source
	err := json.Unmarshal([]byte(os.Getenv(installSourceVariable)), &s)
	if err == nil {
		err = s.install(context.Background(), func(e events.Event) { fmt.Printf("%T\n", e) })
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func (s source) install(ctx context.Context, observe func(events.Event)) error {
	flags := genericclioptions.NewConfigFlags(true).WithDiscoveryQPS(-1)
	flags.KubeConfig, flags.CacheDir = &s.Kubeconfig, &s.Cache
	client, err := cluster.Connect(flags)
	if err != nil {
		return err
	}
	rendered, err := release.Render(ctx, release.Input{Release: s.Release, File: s.File},
		release.RenderOptions{Mirror: s.Mirror, SkipVerify: true, CacheDir: s.Cache, Skip: s.Skip})
	if err != nil {
		return err
	}
	view := client.View()
	all, err := inventory.List(ctx, view)
	if err != nil {
		return err
	}
	request := plan.Request{Name: "kubeflow", Namespace: rendered.Namespace, Components: rendered.Components}
	p, err := plan.New(ctx, request, inventory.Find(all, "kubeflow"), view, client.Mapping)
	if err != nil {
		return err
	}
	_, err = apply.Run(ctx, client, p, apply.Options{Timeout: 5 * time.Minute, NoWait: true, Observe: observe})
	return err
}

// TestAKilledInstallIsFinishedByTheSameCommand kills an install with SIGKILL at five moments, runs it once more, and
// compares everything this program applied, and the inventory, with an install without interruptions.
func TestAKilledInstallIsFinishedByTheSameCommand(t *testing.T) {
	sandboxtest.Needed(t)
	s := source{Mirror: kubetest.Mirror(t), Cache: t.TempDir()}
	s.Release = "1.2.0"
	testKilledInstall(t, s, "1.21", []int{1, 60, 200, 450, 900})
}

func testKilledInstall(t *testing.T, s source, kubernetes string, moments []int) {
	uninterrupted, stop := sandboxtest.Start("--kubernetes=" + kubernetes)
	defer stop()
	interrupted, stopOther := sandboxtest.Start("--kubernetes=" + kubernetes)
	defer stopOther()

	s.Kubeconfig = uninterrupted
	if err := s.install(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	want := appliedOn(t, uninterrupted)

	s.Kubeconfig = interrupted
	for _, moment := range moments {
		kill(t, s, moment)
	}
	if err := s.install(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	mustEqualUninterrupted(t, want, interrupted)
}

// mustEqualUninterrupted compares what this program applied on a cluster with the wanted objects and with the inventory.
func mustEqualUninterrupted(t *testing.T, want map[cluster.Ref]string, kubeconfig string) {
	t.Helper()
	got := appliedOn(t, kubeconfig)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected end state (-uninterrupted +killed):\n%s", diff)
	}
	all, err := inventory.List(t.Context(), sandboxtest.Connect(t, kubeconfig).View())
	if err != nil {
		t.Fatal(err)
	}
	inv := inventory.Choose(all, "")
	for ref := range got {
		listed := slices.ContainsFunc(inv.Refs(), func(r cluster.Ref) bool { return r.Identity() == ref })
		if !listed && ref.Namespace != state.Namespace && ref.Name != state.Namespace {
			t.Errorf("%s is orphaned: the inventory does not list it", ref)
		}
	}
}

// subprocess returns this test binary as the subprocess that TestMain runs for a variable.
func (s source) subprocess(t *testing.T, variable string) *exec.Cmd {
	t.Helper()
	config, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), variable+"="+string(config))
	return cmd
}

// kill starts an install and kills it with SIGKILL after a number of events, or when it ends by itself.
func kill(t *testing.T, s source, events int) {
	t.Helper()
	cmd := s.subprocess(t, installSourceVariable)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	seen := 0
	for seen < events && lines.Scan() {
		seen++
	}
	if seen < events {
		t.Errorf("the install ended after %d events: it cannot be killed after %d", seen, events)
	}
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the install succeeded before it could be killed")
	}
}

// appliedOn returns everything on a cluster that this program has applied, without what differs between clusters or over time.
func appliedOn(t *testing.T, kubeconfig string) map[cluster.Ref]string {
	t.Helper()
	client := sandboxtest.Connect(t, kubeconfig)
	lists, err := client.Kube.Discovery().ServerPreferredResources()
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
		t.Fatal(err)
	}
	view := client.View()
	out := map[cluster.Ref]string{}
	for _, list := range lists {
		for _, resource := range list.APIResources {
			if !slices.Contains(resource.Verbs, "list") || !slices.Contains(resource.Verbs, "patch") {
				continue
			}
			gv, err := schema.ParseGroupVersion(list.GroupVersion)
			if err != nil {
				t.Fatal(err)
			}
			objects, err := view.List(t.Context(), schema.GroupKind{Group: gv.Group, Kind: resource.Kind}, cluster.Scope{})
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range objects {
				if plan.ManagedByInstall(o) {
					out[cluster.RefOf(o).Identity()] = essence(t, o)
				}
			}
		}
	}
	return out
}

// essence returns what this program applied of an object: the live values of the fields it owns.
func essence(t *testing.T, o *unstructured.Unstructured) string {
	t.Helper()
	fields := ""
	for _, entry := range o.GetManagedFields() {
		if plan.AppliedByInstall(entry) {
			fields = string(entry.FieldsV1.GetRawBytes())
		}
	}
	uid := string(o.GetUID())
	o = o.DeepCopy()
	for _, field := range []string{"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "ownerReferences", "finalizers"} {
		unstructured.RemoveNestedField(o.Object, "metadata", field)
	}
	delete(o.Object, "status")
	for _, path := range [][]string{
		{"spec", "clusterIP"}, {"spec", "clusterIPs"}, {"spec", "volumeName"}, {"spec", "caBundle"}, {"metadata", "annotations"},
		{"spec", "conversion", "webhook", "clientConfig", "caBundle"}, {"spec", "conversion", "webhookClientConfig", "caBundle"},
	} {
		unstructured.RemoveNestedField(o.Object, path...)
	}
	for _, w := range kube.Items(o.Object, "webhooks") {
		unstructured.RemoveNestedField(w, "clientConfig", "caBundle")
		delete(w, "namespaceSelector")
	}
	for _, port := range kube.Items(o.Object, "spec", "ports") {
		delete(port, "nodePort")
	}
	if o.GetKind() == "ServiceAccount" {
		delete(o.Object, "secrets") // up to Kubernetes 1.23 a controller adds one
	}
	if o.GetKind() == "Secret" || o.GetKind() == "Service" && kube.Text(o.Object, "spec", "type") == "LoadBalancer" {
		delete(o.Object, "data") // generated certificates; what was applied is in the fields
	}
	body, err := json.Marshal(o.Object)
	if err != nil {
		t.Fatal(err)
	}
	if plan.IsWebhookConfiguration(o) {
		fields = ""
	}
	return strings.ReplaceAll(string(body), uid, "its own uid") + fields
}
