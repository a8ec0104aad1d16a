//go:build unix

package kubeflow_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/sandboxtest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/fixes"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/state"
)

// An errand is what a process of its own does, and the outage that it meets. The process ends like a user's, so that the next one
// sees at once that its Lease is nobody's any more.
type errand struct {
	Do     string
	Outage sandboxtest.Moment
	Cache  string
}

// An outcome is what such a process prints.
type outcome struct {
	Requests   int
	Away       time.Duration // how long the server was; 0 if the errand did not meet the outage
	What, Next string
}

const errandVariable = "TEST_ERRAND"

// outageErrands are what an outage must not spoil, in the order in which a round does them.
var outageErrands = []string{"upgrade", "expose", "fix", "undo", "remove", "uninstall"}

// errandSubprocess is what TestMain runs then.
func errandSubprocess() int {
	var e errand
	if err := json.Unmarshal([]byte(os.Getenv(errandVariable)), &e); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	file := os.Getenv("KUBECONFIG")
	flags := genericclioptions.NewConfigFlags(true).WithDiscoveryQPS(-1)
	flags.KubeConfig, flags.CacheDir = &file, &e.Cache
	outage := sandboxtest.NewOutage(file, e.Outage)
	flags.WrapConfigFn = outage.Meet
	client, err := cluster.Connect(flags)
	if err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
		defer cancel()
		err = client.Explain(e.run(ctx, client))
	}
	out := outcome{Requests: outage.Requests()}
	var down error
	out.Away, down = outage.Ended()
	var known *problem.Error
	switch {
	case errors.As(err, &known):
		out.What, out.Next = known.Error(), known.Advice()
	case err != nil:
		out.What = err.Error()
	}
	_ = json.NewEncoder(os.Stdout).Encode(out)
	if down != nil {
		fmt.Fprintln(os.Stderr, down)
		return 1
	}
	return 0
}

func (e errand) run(ctx context.Context, client *cluster.Client) error {
	const wait = 3 * time.Minute
	source := kubeflow.Source{Release: "mini", CacheDir: e.Cache}
	switch e.Do {
	case "install": // all but one component, so that an upgrade has something to do
		source.Skip = []string{"pipelines"}
		plan, err := kubeflow.PrepareInstall(ctx, client, kubeflow.InstallOptions{Source: source})
		if err != nil {
			return err
		}
		_, err = plan.Apply(ctx, kubeflow.InstallApplyOptions{Timeout: wait})
		return err
	case "upgrade":
		plan, err := kubeflow.PrepareUpgrade(ctx, client, kubeflow.InstallOptions{Source: source})
		if err != nil {
			return err
		}
		if _, err := plan.Backup(ctx); err != nil {
			return err
		}
		_, err = plan.Apply(ctx, kubeflow.InstallApplyOptions{Timeout: wait})
		return err
	case "expose":
		plan, err := kubeflow.PrepareExpose(ctx, client, kubeflow.ExposeOptions{Options: expose.Options{Internal: new(true), TLS: &expose.TLS{From: expose.SelfSigned}}})
		if err != nil {
			return err
		}
		_, err = plan.Apply(ctx, kubeflow.ExposeApplyOptions{Timeout: wait})
		return err
	case "remove":
		plan, err := kubeflow.PrepareUnexpose(ctx, client)
		if err != nil {
			return err
		}
		return plan.Apply(ctx, kubeflow.UnexposeApplyOptions{Timeout: wait})
	case "fix":
		broken, err := checks.Find("pipelines/executor", "storage/default-class")
		if err != nil {
			return err
		}
		report, err := kubeflow.Fix(ctx, client, kubeflow.Options{Checks: broken, Options: fixes.Options{Allow: []doctor.Impact{doctor.RestartsPods}, Wait: wait}})
		if err != nil {
			return err
		}
		if blind := report.Blind(); len(blind) > 0 { // the command ends with an error then, too
			return &problem.Error{What: "a check could not run: " + blind[0].Reason, Next: "Run the same command again"}
		}
		return nil
	case "undo":
		return undoLast(ctx, client)
	case "uninstall":
		plan, err := kubeflow.PrepareUninstall(ctx, client, kubeflow.UninstallOptions{})
		if err != nil {
			return err
		}
		_, err = plan.Apply(ctx, kubeflow.UninstallApplyOptions{DeleteDataOf: plan.Cluster(), Timeout: wait})
		return err
	}
	return fmt.Errorf("no such errand: %q", e.Do)
}

func undoLast(ctx context.Context, client *cluster.Client) error {
	runs, err := fixes.Runs(ctx, client)
	if err != nil || len(runs) == 0 {
		return err
	}
	undone, err := fixes.Undo(ctx, client, checks.All(), runs[0], fixes.UndoOptions{Wait: time.Minute, Now: time.Now})
	if err == nil && !undone.Whole() {
		return fmt.Errorf("not everything was undone: %+v", undone.Steps)
	}
	return err
}

// send runs an errand in a process of its own.
func send(t *testing.T, e errand) outcome {
	t.Helper()
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), errandVariable+"="+string(text), "KUBECONFIG="+kubeconfig)
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", e.Do, err, log.String())
	}
	var o outcome
	if err := json.Unmarshal(out.Bytes(), &o); err != nil {
		t.Fatalf("%s: %v\n%s%s", e.Do, err, out.String(), log.String())
	}
	return o
}

// TestTheAPIServerIsRestartedInTheMiddle kills the API server in the course of one request of each command that writes, and starts it
// again two seconds later. The command carries on, or ends with what happened and what to do next, and the next one ends where a run
// without an outage does. KUBEFLOW_TEST_OUTAGES says how many seeded moments
// of every command are tried; make outages, which runs nightly, sets it, since each moment takes half a minute.
func TestTheAPIServerIsRestartedInTheMiddle(t *testing.T) {
	rounds, err := strconv.Atoi(os.Getenv("KUBEFLOW_TEST_OUTAGES"))
	if err != nil {
		t.Skip("runs nightly: make outages")
	}
	errands := outageErrands
	client := connect(t)
	sandboxtest.NeedsAddresses(t)
	cache := t.TempDir()
	requests, want := map[string]int{}, map[string]string{}
	mustSend := func(e errand) outcome {
		t.Helper()
		o := send(t, e)
		if o.What != "" {
			t.Fatalf("%s, after the outage or without one: %s. %s", e.Do, o.What, o.Next)
		}
		return o
	}
	class := defaultClass(t)
	restore := func() {
		kubectl(t, "", "annotate", "storageclass", "--all", isDefault+"-")
		kubectl(t, "", "annotate", "storageclass", class, isDefault+"=true")
	}
	defer restore()
	prepare := func(do string) {
		switch do {
		case "remove":
			restore() // as an undo does not
		case "upgrade":
			mustSend(errand{Do: "install", Cache: cache, Outage: sandboxtest.Moment{At: -1}})
		case "fix":
			breakForOutages(t)
		}
	}
	for _, do := range errands {
		prepare(do)
		requests[do] = mustSend(errand{Do: do, Cache: cache, Outage: sandboxtest.Moment{At: -1}}).Requests
		want[do] = everythingOn(t, client)
	}
	const seed = 15
	draw := rand.New(rand.NewPCG(seed, 6))
	for round := range rounds {
		for _, do := range errands {
			prepare(do)
			phase := []sandboxtest.Phase{sandboxtest.Before, sandboxtest.During, sandboxtest.After}[draw.IntN(3)]
			e := errand{Do: do, Cache: cache, Outage: sandboxtest.Moment{At: draw.IntN(requests[do]), Phase: phase, Down: 2 * time.Second}}
			began := time.Now()
			o := send(t, e)
			t.Logf("round %d: %s with the server away %s request %d of %d (%s): %s: %s", round, do, phase, e.Outage.At, requests[do], o.Away.Round(100*time.Millisecond), time.Since(began).Round(100*time.Millisecond), o.What)
			if o.What != "" {
				if o.Next == "" || strings.Contains(o.What, "\n") {
					t.Errorf("%s with the server away %s request %d ends with %q, next: %q", do, phase, e.Outage.At, o.What, o.Next)
				}
				mustSend(errand{Do: do, Cache: cache, Outage: sandboxtest.Moment{At: -1}})
			}
			if diff := cmp.Diff(want[do], everythingOn(t, client)); diff != "" {
				t.Errorf("%s with the server away %s request %d ends elsewhere (-without outage +with):\n%s", do, phase, e.Outage.At, diff)
			}
		}
	}
}

// breakForOutages makes faults that doctor fixes: one in a setting, which restarts a Deployment, and one in an object of the cluster.
func breakForOutages(t *testing.T) {
	t.Helper()
	const settings = "workflow-controller-configmap"
	kubectl(t, strings.ReplaceAll(kubectl(t, "", "get", "configmap", "-n=kubeflow", settings, "-o=yaml"), "containerRuntimeExecutor: pns", "containerRuntimeExecutor: docker"), "replace", "-f", "-")
	kubectl(t, "", "annotate", "storageclass", "--all", isDefault+"-")
}

const isDefault = "storageclass.kubernetes.io/is-default-class"

// defaultClass returns the name of the default StorageClass.
func defaultClass(t *testing.T) string {
	t.Helper()
	for line := range strings.Lines(kubectl(t, "", "get", "storageclass", "--no-headers")) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[1] == "(default)" {
			return fields[0]
		}
	}
	t.Fatal("no StorageClass is the default")
	return ""
}

// everythingOn describes all objects that these commands may write, without what differs between two runs that do the same.
func everythingOn(t *testing.T, client *cluster.Client) string {
	t.Helper()
	var out strings.Builder
	for _, kind := range []string{"namespaces", "serviceaccounts", "services", "configmaps", "secrets", "deployments.apps", "statefulsets.apps", "networkpolicies.networking.k8s.io", "storageclasses.storage.k8s.io",
		"customresourcedefinitions.apiextensions.k8s.io", "clusterroles.rbac.authorization.k8s.io", "clusterrolebindings.rbac.authorization.k8s.io", "roles.rbac.authorization.k8s.io", "rolebindings.rbac.authorization.k8s.io",
		"mutatingwebhookconfigurations.admissionregistration.k8s.io", "validatingwebhookconfigurations.admissionregistration.k8s.io", "gateways.networking.istio.io", "virtualservices.networking.istio.io", "leases.coordination.k8s.io"} {
		resource := schema.ParseGroupResource(kind).WithVersion("v1")
		if strings.HasSuffix(kind, ".istio.io") {
			resource.Version = "v1alpha3"
		}
		list, err := client.Dynamic.Resource(resource).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			continue // no such kind without Kubeflow
		}
		for _, o := range list.Items {
			if slices.Contains([]string{"kube-system", "kube-node-lease", state.Namespace}, o.GetNamespace()) {
				continue
			}
			fmt.Fprintf(&out, "%s %s/%s %s\n", kind, o.GetNamespace(), o.GetName(), settled(&o))
		}
	}
	all, err := inventory.List(t.Context(), client.View())
	if err != nil {
		t.Fatal(err)
	}
	if installed := inventory.Find(all, "kubeflow"); installed != nil {
		for _, e := range installed.Objects {
			fmt.Fprintln(&out, "recorded:", e.Component, e.Ref)
		}
	}
	return out.String()
}

// settled returns an object's content without what the server, time and chance put into it.
func settled(o *unstructured.Unstructured) string {
	o.SetManagedFields(nil)
	o.SetUID("")
	o.SetResourceVersion("")
	o.SetCreationTimestamp(metav1.Time{})
	o.SetGeneration(0)
	o.SetOwnerReferences(nil)
	delete(o.Object, "status")
	for _, path := range [][]string{{"spec", "clusterIP"}, {"spec", "clusterIPs"}, {"spec", "healthCheckNodePort"}, {"metadata", "annotations", "deployment.kubernetes.io/revision"},
		{"spec", "template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt"}} {
		unstructured.RemoveNestedField(o.Object, path...)
	}
	if o.GetKind() == "Secret" { // generated keys
		keys := []string{}
		for key := range o.Object["data"].(map[string]any) {
			keys = append(keys, key)
		}
		o.Object["data"] = fmt.Sprint(len(keys))
	}
	ports, _, _ := unstructured.NestedSlice(o.Object, "spec", "ports")
	for _, port := range ports {
		if port, ok := port.(map[string]any); ok {
			delete(port, "nodePort")
		}
	}
	if len(ports) > 0 {
		_ = unstructured.SetNestedSlice(o.Object, ports, "spec", "ports")
	}
	body, err := json.Marshal(o.Object)
	if err != nil {
		return err.Error()
	}
	return string(body)
}
