package workloads

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestReplicasAreThoseThatKubectlApplied(t *testing.T) {
	for note, want := range map[string]int64{`{"spec":{"replicas":2}}`: 2, `{"spec":{}}`: 1, `{"spec":{"replicas":0}}`: 0, "": -1, "{": -1, `{"spec":{"replicas":-5}}`: -1, `{"spec":{"replicas":100000}}`: -1} {
		o := &unstructured.Unstructured{Object: map[string]any{}}
		o.SetAnnotations(map[string]string{"kubectl.kubernetes.io/last-applied-configuration": note})
		if got := appliedReplicas(o); got != want {
			t.Errorf("%q says %d, want %d", note, got, want)
		}
	}
}
