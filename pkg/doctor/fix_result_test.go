package doctor

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

func TestARestartIsTheSameFixWhateverPodItIsAbout(t *testing.T) {
	workload := func(name string) cluster.Change {
		o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": name}}}
		return cluster.Change{Verb: cluster.Restart, Before: o, After: o}
	}
	about := func(pod string) Subject { return Subject{Ref: cluster.Ref{Kind: "Pod", Name: pod}} }
	result := FixResult{Check: "upgrades/skew", About: about("a-1"), Fix: &Fix{Title: "Restart", Impact: RestartsPods, Changes: []cluster.Change{workload("a")}}}
	for name, c := range map[string]struct {
		about  Subject
		change string
		same   bool
	}{
		"the same pod":              {about("a-1"), "a", true},
		"the pod that came after":   {about("a-2"), "a", true},
		"a pod of another workload": {about("b-1"), "b", false},
	} {
		p := Proposal{Check: "upgrades/skew", Finding: Finding{About: c.about}, Fix: &Fix{Title: "Restart", Impact: RestartsPods, Changes: []cluster.Change{workload(c.change)}}}
		if result.Same(p) != c.same {
			t.Errorf("%s: same is %v", name, !c.same)
		}
	}
}
