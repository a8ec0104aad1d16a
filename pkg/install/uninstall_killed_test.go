//go:build unix

package install

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/sandboxtest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/status"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/uninstall"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/lock"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/state"
)

// uninstallSourceVariable makes the test binary run an uninstall instead: its value is a source as JSON.
const uninstallSourceVariable = "KUBEFLOW_TEST_UNINSTALL"

// uninstallSubprocess uninstalls and prints a line for each wave that starts and each object that is gone, until it is done or killed.
func uninstallSubprocess() int {
	var s source
	err := json.Unmarshal([]byte(os.Getenv(uninstallSourceVariable)), &s)
	if err == nil {
		err = s.uninstall(context.Background(), func(e events.Event) {
			switch e := e.(type) {
			case events.WaveStarted:
				fmt.Println(e.Wave)
			case events.ObjectGone:
				fmt.Println(e.Ref)
			}
		})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func (s source) uninstall(ctx context.Context, observe func(events.Event)) error {
	flags := genericclioptions.NewConfigFlags(true).WithDiscoveryQPS(-1)
	flags.KubeConfig, flags.CacheDir = &s.Kubeconfig, &s.Cache
	client, err := cluster.Connect(flags)
	if err != nil {
		return err
	}
	survey, err := uninstall.ReadCluster(ctx, client)
	if err != nil {
		return err
	}
	all, err := inventory.List(ctx, client.View())
	if err != nil {
		return err
	}
	inv := inventory.Choose(all, "")
	if inv == nil {
		inv = uninstall.TerminatingNamespaces(survey)
	}
	if inv == nil {
		return uninstall.Tidy(ctx, client, survey)
	}
	_, err = uninstall.Run(ctx, client, uninstall.Request{Inventory: inv, DeleteData: true}, uninstall.Options{Timeout: 5 * time.Minute, Observe: observe})
	return err
}

// TestAKilledUninstallIsFinishedByTheSameCommand kills an uninstall with SIGKILL in each of its waves, after some objects of
// it are gone. One more run must restore the state before the install, without an inventory or a Lease.
func TestAKilledUninstallIsFinishedByTheSameCommand(t *testing.T) {
	sandboxtest.Needed(t)
	kubeconfig, stop := sandboxtest.Start("--kubernetes=1.35")
	defer stop()
	s := source{Kubeconfig: kubeconfig, Release: "mini", Cache: t.TempDir()}
	before := namesOn(t, kubeconfig)
	if err := s.install(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for _, m := range []struct {
		wave string
		gone int
	}{{"webhooks", 0}, {"custom resources", 3}, {"workloads", 6}, {"settings", 10}, {"definitions", 2}, {"namespaces", 0}, {"records", 0}} {
		killUninstall(t, s, m.wave, m.gone)
		if m.wave == "settings" {
			mustReportInterruptedUninstall(t, kubeconfig)
		}
	}
	if err := s.uninstall(t.Context(), func(events.Event) {}); err != nil {
		t.Fatal(err)
	}
	after := namesOn(t, kubeconfig)
	for deadline := time.Now().Add(time.Minute); !cmp.Equal(before, after) && time.Now().Before(deadline); after = namesOn(t, kubeconfig) {
		time.Sleep(time.Second) // Kubernetes still garbage-collects dependents
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the cluster is not as before the install (-before +after):\n%s", diff)
	}
	if err := s.uninstall(t.Context(), func(e events.Event) { t.Errorf("the second uninstall has nothing to do, but did %+v", e) }); err != nil {
		t.Fatal(err)
	}
}

// mustReportInterruptedUninstall checks that status distinguishes an interrupted uninstall from objects that another client deleted.
func mustReportInterruptedUninstall(t *testing.T, kubeconfig string) {
	t.Helper()
	view := sandboxtest.Connect(t, kubeconfig).View()
	all, err := inventory.List(t.Context(), view)
	inv := inventory.Choose(all, "")
	if err != nil || inv == nil {
		t.Fatalf("there is no inventory: %v", err)
	}
	st, err := status.Read(t.Context(), view, inv, status.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprintf("%+v", st.Components); !st.Uninstalling || !strings.Contains(text, "it was deleted by the uninstall") || strings.Contains(text, "it was deleted by another client") {
		t.Errorf("status does not report the interrupted uninstall:\n%s", text)
	}
}

// namesOn returns the names of all objects on a cluster except those that Kubernetes creates and deletes by itself, and the Lease.
func namesOn(t *testing.T, kubeconfig string) []string {
	t.Helper()
	client := sandboxtest.Connect(t, kubeconfig)
	survey, err := uninstall.ReadCluster(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, o := range survey.ByRef {
		names = append(names, cluster.RefOf(o).String())
	}
	if _, err := client.Kube.CoordinationV1().Leases(state.Namespace).Get(t.Context(), lock.LeaseName, metav1.GetOptions{}); err == nil {
		names = append(names, "Lease/"+state.Namespace+"/"+lock.LeaseName)
	}
	slices.Sort(names)
	return names
}

// killUninstall starts an uninstall and kills it with SIGKILL once a wave has started and a number of its objects are gone.
func killUninstall(t *testing.T, s source, wave string, gone int) {
	t.Helper()
	cmd := s.subprocess(t, uninstallSourceVariable)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	began := false
	for lines.Scan() {
		if began = began || lines.Text() == wave; began {
			if gone--; gone < 0 {
				break
			}
		}
	}
	if gone >= 0 {
		t.Errorf("the uninstall ended before it could be killed among the %s", wave)
	}
	_ = cmd.Process.Kill()
	if err := cmd.Wait(); err == nil {
		t.Error("the uninstall succeeded before it could be killed")
	}
}
