package azure

import (
	"strings"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

func TestSizesAreReadFromTheirNames(t *testing.T) {
	for name, want := range map[string]machine{
		"Standard_D4s_v5": {4, 16}, "standard_d8ads_v5": {8, 32}, "Standard_D16_v3": {16, 64}, "Standard_DS3_v2": {}, "Standard_D3_v2": {}, "Standard_D4": {}, "Standard_F0s_v2": {}, "Standard_E8-4s_v5": {4, 64},
		"Standard_F8s_v2": {8, 16}, "Standard_L8s_v3": {}, "Standard_NC4as_T4_v3": {}, "big": {}, "": {}, "Standard_D99999s_v5": {},
	} {
		if got, known := machineOf(name); got != want || known != (want != machine{}) {
			t.Errorf("%s: %+v, %v", name, got, known)
		}
	}
}

// TestTheDefaultNodesHoldTheRelease holds the number of nodes against the check that the creation makes, for all releases and
// common sizes: they hold twice what is requested, and one node fewer does not, unless there are three.
func TestTheDefaultNodesHoldTheRelease(t *testing.T) {
	for _, r := range release.All() {
		d, _ := r.Demand()
		for _, size := range []string{"Standard_D2s_v5", "Standard_D4s_v5", "Standard_D8s_v5", "Standard_E4s_v5", "Standard_F4s_v2", "Standard_F16s_v2"} {
			m, _ := machineOf(size)
			holds := func(n int32) bool {
				return float64(n)*m.cpus*usableCPU >= 2*float64(d.CPU)/1000 && float64(n)*m.memory*usableMemory >= 2*gib(d.Memory)
			}
			o := options(t, func(o *Options) { o.Release, o.NodeSize = r, size })
			if n := o.Nodes.Min; !holds(n) || n > fewestNodes && holds(n-1) {
				t.Errorf("%s on %s: %d nodes", r, size, n)
			}
			for _, said := range []string{"requests", "CPUs", "pods", "leave"} {
				if !strings.Contains(o.Sizing(), said) {
					t.Errorf("%s on %s: %q is not in %q", r, size, said, o.Sizing())
				}
			}
		}
	}
}
