//go:build unix

package kubeflow_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/cert"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/sandboxtest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/preflight"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
)

var kubeconfig string

func TestMain(m *testing.M) {
	if os.Getenv(upgradeTo) != "" {
		os.Exit(upgradeSubprocess())
	}
	if os.Getenv(errandVariable) != "" {
		os.Exit(errandSubprocess())
	}
	sandboxtest.Main(m, &kubeconfig, "--kubernetes=1.35")
}

// connect returns a client of the sandbox that the tests share.
func connect(t *testing.T) *cluster.Client {
	t.Helper()
	sandboxtest.Needed(t)
	return sandboxtest.Connect(t, kubeconfig)
}

// kubectl is another user of the same cluster.
func kubectl(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.Command(sandboxtest.Kubectl("1.35"), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("kubectl %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// prepare prepares an install: of the release mini, or of some YAML under a name.
func prepare(t *testing.T, client *cluster.Client, name, yaml string) *kubeflow.InstallPlan {
	t.Helper()
	o := kubeflow.InstallOptions{Source: kubeflow.Source{Release: "mini", CacheDir: t.TempDir()}}
	if yaml != "" {
		o.Source = kubeflow.Source{File: "-", Stdin: strings.NewReader(yaml), Name: name, CacheDir: t.TempDir()}
		o.Suppress = []doctor.Suppression{{Check: "platform/kubernetes-version"}} // the one of mini, which other tests install
	}
	plan, err := kubeflow.PrepareInstall(t.Context(), client, o)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// apply applies a plan, and does not wait until it is ready.
func apply(t *testing.T, plan *kubeflow.InstallPlan) {
	t.Helper()
	if plan.Refused != nil {
		t.Fatal(plan.Refused)
	}
	if _, err := plan.Apply(t.Context(), kubeflow.InstallApplyOptions{Timeout: 2 * time.Minute, NoWait: true}); err != nil {
		t.Fatal(err)
	}
}

// everyVersion collects one field of every version of a namespace's ConfigMaps, from now until the returned function is called.
func everyVersion(t *testing.T, client *cluster.Client, namespace, key string) func() []string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	watching, err := client.Kube.CoreV1().ConfigMaps(namespace).Watch(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var seen []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		for event := range watching.ResultChan() {
			o, ok := event.Object.(interface{ GetName() string })
			if !ok {
				continue
			}
			cm, err := client.Kube.CoreV1().ConfigMaps(namespace).Get(ctx, o.GetName(), metav1.GetOptions{})
			if value, has := cm.Data[key]; err == nil && has {
				mu.Lock()
				seen = append(seen, value)
				mu.Unlock()
			}
		}
	}()
	return func() []string {
		time.Sleep(time.Second) // for events that are under way
		watching.Stop()
		stop()
		<-done
		mu.Lock()
		defer mu.Unlock()
		return seen
	}
}

// The guide repairs the executor by hand after it was applied; an install never applies the broken one.
func TestAnInstallNeverCreatesTheBrokenState(t *testing.T) {
	client := connect(t)
	executors := everyVersion(t, client, "kubeflow", "containerRuntimeExecutor")
	plan := prepare(t, client, "", "")
	if len(plan.Adapted) == 0 {
		t.Error("the plan shows no patches")
	}
	apply(t, plan)
	seen := executors()
	for _, executor := range seen {
		if executor == "docker" || executor == "" {
			t.Errorf("the cluster had the executor %q, which containerd does not run", executor)
		}
	}
	if len(seen) == 0 {
		t.Error("no executor was seen: the test looks at something else")
	}
}

func TestAnInstallThatWouldFailIsRefusedBeforeTheFirstWrite(t *testing.T) {
	client := connect(t)
	kubectl(t, `{apiVersion: v1, kind: Namespace, metadata: {name: leaving, finalizers: [example.org/never]}}`, "apply", "-f", "-")
	kubectl(t, "", "delete", "namespace", "leaving", "--wait=false")
	t.Cleanup(func() {
		kubectl(t, "", "patch", "namespace", "leaving", "--type=merge", "-p", `{"metadata":{"finalizers":null}}`)
	})
	plan := prepare(t, client, "refused", `{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: leaving}}`)
	var refused *preflight.BlockedError
	if !errors.As(plan.Refused, &refused) || !strings.Contains(plan.Refused.Error(), "namespace leaving is being deleted") {
		t.Errorf("refused is %v", plan.Refused)
	}
	if _, err := plan.Apply(t.Context(), kubeflow.InstallApplyOptions{Timeout: time.Minute}); !errors.As(err, &refused) {
		t.Errorf("a refused plan ends with %v", err)
	}
	if all, err := inventory.List(t.Context(), client.View()); err != nil || inventory.Find(all, "refused") != nil {
		t.Errorf("something was written (%v)", err)
	}
}

// dex's password, as bcrypt hashes: the one that every Kubeflow comes with, and one of the user's own.
const (
	dex = `
{apiVersion: v1, kind: Namespace, metadata: {name: auth}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: dex, namespace: auth}, data: {config.yaml: "staticPasswords: [{email: user@example.com, hash: HASH}]"}}
`
	everybodys = "$2y$12$4K/VkmDd1q1Orb3xAt82zu8gk7Ad6ReFR4LCP9UeYE90NLiN9Df72"
)

func TestAReinstallKeepsThePassword(t *testing.T) {
	client := connect(t)
	own, err := signin.HashPassword("correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	manifests := strings.ReplaceAll(dex, "HASH", everybodys)
	apply(t, prepare(t, client, "dex", manifests))
	stale := prepare(t, client, "dex", manifests+"---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: more, namespace: auth}}\n")
	kubectl(t, strings.ReplaceAll(dex, "HASH", own), "apply", "--server-side", "--force-conflicts", "-f", "-")
	if _, err := stale.Apply(t.Context(), kubeflow.InstallApplyOptions{Timeout: time.Minute, NoWait: true}); err == nil || !strings.Contains(err.Error(), "ConfigMap/auth/dex was changed") {
		t.Errorf("a plan that would revert the password ends with: %v", err)
	}
	apply(t, prepare(t, client, "dex", manifests))
	if now := kubectl(t, "", "get", "configmap", "-n=auth", "dex", "-o=yaml"); !strings.Contains(now, own) || strings.Contains(now, everybodys) {
		t.Errorf("the password is not the user's any more:\n%s", now)
	}
}

func TestAReinstallKeepsHTTPS(t *testing.T) {
	client := connect(t)
	sandboxtest.NeedsAddresses(t)
	apply(t, prepare(t, client, "", ""))
	certificate, key, err := cert.GenerateSelfSignedCertKey("kubeflow.example.org", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	files := t.TempDir()
	for name, content := range map[string][]byte{"/tls.crt": certificate, "/tls.key": key} {
		if err := os.WriteFile(files+name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const secret = "istio-ingressgateway-certs" // the one that the gateway of this release mounts
	kubectl(t, "", "create", "secret", "tls", "-n=istio-system", secret, "--cert="+files+"/tls.crt", "--key="+files+"/tls.key")
	plan, err := kubeflow.PrepareExpose(t.Context(), client, kubeflow.ExposeOptions{Options: expose.Options{
		Internal: new(true), Host: new("kubeflow.example.org"), TLS: &expose.TLS{From: expose.FromSecret, Secret: secret}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Apply(t.Context(), kubeflow.ExposeApplyOptions{Timeout: time.Minute}); err != nil {
		t.Fatal(err)
	}
	apply(t, prepare(t, client, "", ""))
	gateway := kubectl(t, "", "get", "gateways.networking.istio.io", "-n=kubeflow", "kubeflow-gateway", "-o=yaml")
	if !strings.Contains(gateway, "protocol: HTTPS") {
		t.Errorf("the gateway serves no HTTPS any more:\n%s", gateway)
	}
	kept, err := kubeflow.PrepareUnexpose(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	if err := kept.Apply(t.Context(), kubeflow.UnexposeApplyOptions{Timeout: time.Minute}); err != nil {
		t.Error(err)
	}
}

func TestAPublicAddressWithoutAuthenticationNeedsConsent(t *testing.T) {
	client := connect(t)
	sandboxtest.NeedsAddresses(t)
	apply(t, prepare(t, client, "", ""))
	plan, err := kubeflow.PrepareExpose(t.Context(), client, kubeflow.ExposeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var unsafe *kubeflow.UnsafeError
	if _, err := plan.Apply(t.Context(), kubeflow.ExposeApplyOptions{NoWait: true}); !errors.As(err, &unsafe) || !unsafe.Unauthenticated {
		t.Errorf("an open dashboard is made public: %v", err)
	}
	address := cluster.Ref{APIVersion: "v1", Kind: "Service", Namespace: "istio-system", Name: dashboard.LoadBalancerName}
	if _, err := client.View().Get(t.Context(), address); err == nil {
		t.Error("the refused address is there")
	}
	limited, err := kubeflow.PrepareExpose(t.Context(), client, kubeflow.ExposeOptions{Options: expose.Options{SourceRanges: &[]string{"203.0.113.7/32"}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := limited.Apply(t.Context(), kubeflow.ExposeApplyOptions{NoWait: true}); err != nil {
		t.Errorf("an address that one computer may connect to: %v", err)
	}

	// What was agreed to is what is executed: another user's change that matters asks again, one that does not is kept.
	wider := kubeflow.ExposeOptions{Options: expose.Options{SourceRanges: &[]string{"203.0.113.0/24"}}}
	agreed, err := kubeflow.PrepareExpose(t.Context(), client, wider)
	if err != nil {
		t.Fatal(err)
	}
	kubectl(t, "", "annotate", "service", "-n=istio-system", address.Name, "owner=another-user")
	if _, err := agreed.Apply(t.Context(), kubeflow.ExposeApplyOptions{NoWait: true}); err != nil {
		t.Errorf("after a change that does not matter: %v", err)
	}
	agreed, err = kubeflow.PrepareExpose(t.Context(), client, kubeflow.ExposeOptions{Options: expose.Options{SourceRanges: &[]string{"198.51.100.0/24"}}})
	if err != nil {
		t.Fatal(err)
	}
	kubectl(t, "", "patch", "service", "-n=istio-system", address.Name, "--type=merge", "-p", `{"spec":{"loadBalancerSourceRanges":["192.0.2.1/32"]}}`)
	var changed *kubeflow.PlanChangedError
	if _, err := agreed.Apply(t.Context(), kubeflow.ExposeApplyOptions{NoWait: true}); !errors.As(err, &changed) || len(changed.Plan.All()) == 0 {
		t.Errorf("after a change of what was agreed to: %v", err)
	}
	if now := kubectl(t, "", "get", "service", "-n=istio-system", address.Name, "-o=yaml"); !strings.Contains(now, "192.0.2.1/32") || !strings.Contains(now, "owner: another-user") {
		t.Errorf("another user's change is lost:\n%s", now)
	}
	revert, err := kubeflow.PrepareUnexpose(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	if err := revert.Apply(t.Context(), kubeflow.UnexposeApplyOptions{Timeout: time.Minute}); err != nil {
		t.Error(err)
	}
}

func TestAnInstallThatAnotherOneOvertookStops(t *testing.T) {
	client := connect(t)
	first := prepare(t, client, "overtaken", `{apiVersion: v1, kind: ConfigMap, metadata: {name: first, namespace: default}}`)
	apply(t, prepare(t, client, "overtaken", `{apiVersion: v1, kind: ConfigMap, metadata: {name: second, namespace: default}}`))
	_, err := first.Apply(t.Context(), kubeflow.InstallApplyOptions{Timeout: time.Minute, NoWait: true})
	if err == nil || !strings.Contains(err.Error(), "while this install was being prepared") {
		t.Errorf("it ends with %v", err)
	}
	if names := kubectl(t, "", "get", "configmap", "-n=default", "-o=name"); strings.Contains(names, "configmap/first") || !strings.Contains(names, "configmap/second") {
		t.Errorf("the plan was applied all the same:\n%s", names)
	}
}

const profile = `{apiVersion: kubeflow.org/v1, kind: Profile, metadata: {name: NAME}, spec: {owner: {kind: User, name: NAME@example.org}}}`

func TestAnUninstallDeletesNoMoreThanWasAgreedTo(t *testing.T) {
	client := connect(t)
	apply(t, prepare(t, client, "", ""))
	kubectl(t, "", "wait", "--for=condition=Established", "crd/profiles.kubeflow.org", "--timeout=30s")
	kubectl(t, strings.ReplaceAll(profile, "NAME", "anna"), "apply", "-f", "-")
	plan, err := kubeflow.PrepareUninstall(t.Context(), client, kubeflow.UninstallOptions{Name: "kubeflow", DeleteData: true})
	if err != nil {
		t.Fatal(err)
	}
	var usage *problem.Error
	if _, err := plan.Apply(t.Context(), kubeflow.UninstallApplyOptions{Timeout: time.Minute}); !errors.As(err, &usage) {
		t.Errorf("users' data is deleted without consent: %v", err)
	}
	kubectl(t, strings.ReplaceAll(profile, "NAME", "ben"), "apply", "-f", "-")
	removed, err := plan.Apply(t.Context(), kubeflow.UninstallApplyOptions{DeleteDataOf: plan.Cluster(), Timeout: 3 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if names := kubectl(t, "", "get", "profiles.kubeflow.org", "-o=name"); strings.Contains(names, "anna") || !strings.Contains(names, "ben") {
		t.Errorf("left are:\n%s", names)
	}
	kept := ""
	for _, k := range removed.Keep {
		kept += k.Ref.String() + ": " + k.Why + "\n"
	}
	if !strings.Contains(kept, "Profile/ben: it was created after the uninstall was confirmed") {
		t.Errorf("kept:\n%s", kept)
	}
}
