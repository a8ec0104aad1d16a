package checks

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/version"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// The cases of checks are small: the releases themselves show whether everything that all checks read is kept.
func TestABundleOfEachReleaseGivesTheSameReport(t *testing.T) {
	mirror := kubetest.Mirror(t)
	nodes := objects(t, `
apiVersion: v1
kind: Node
metadata:
  name: aks-workers7-1
  labels: {kubernetes.azure.com/cluster: MC_mlplatform_ml7_westeurope, agentpool: workers7, kubernetes.azure.com/agentpool: workers7, node.kubernetes.io/instance-type: Standard_NC24ads_A100_v4, kubernetes.azure.com/node-image-version: AKSUbuntu-2204gen2containerd-202509.23.0}
status:
  capacity: {cpu: "4", memory: 16374136Ki, ephemeral-storage: 128849018880, pods: "110"}
  allocatable: {cpu: 3860m, memory: 15740Mi, ephemeral-storage: "115964116992", pods: "110", nvidia.com/gpu: "1"}
  nodeInfo: {containerRuntimeVersion: containerd://1.7.30-1, kubeletVersion: v1.35.4}`)
	for _, name := range []string{"1.2.0", "1.8.1", "1.9.1", "1.10.2", "26.03"} {
		rendered, err := release.Render(t.Context(), release.Input{Release: name}, release.RenderOptions{Mirror: mirror, SkipVerify: true, CacheDir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		view := cluster.Saved("this bundle", cluster.Memory{Now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Version: &version.Info{Major: "1", Minor: "35", GitVersion: "v1.35.4"}},
			append(rendered.Objects(), nodes...)...)
		want := doctor.Diagnose(context.Background(), view, All(), doctor.Options{})
		got := doctor.Diagnose(context.Background(), bundled(t, view, All(), doctor.Settings{}), All(), doctor.Options{})
		for i, check := range want.Checks {
			if a, b := formatReport(check), formatReport(got.Checks[i]); a != b {
				t.Errorf("%s: from the bundle %s says:\n%s\nfrom the cluster:\n%s", name, check.ID, b, a)
			}
		}
		if diff := cmp.Diff(want.Platform, got.Platform); diff != "" {
			t.Errorf("%s: the platform differs (-cluster +bundle):\n%s", name, diff)
		}
		t.Logf("%s: %d checks, %d problems", name, len(want.Checks), want.Summary.Error+want.Summary.Warning)
	}
}
