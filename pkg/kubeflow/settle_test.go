package kubeflow

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

func TestAnInstallRestartsNothingOfUsers(t *testing.T) {
	own := map[string]bool{"kubeflow": true, "": true}
	for name, c := range map[string]struct {
		verb       cluster.Verb
		namespaces []string
		refused    bool
	}{
		"a restart in its own namespace":         {cluster.Restart, []string{"kubeflow"}, false},
		"a restart of a Notebook":                {cluster.Restart, []string{"team-a"}, true},
		"a restart in both":                      {cluster.Restart, []string{"kubeflow", "team-a"}, true},
		"a change that restarts nothing":         {cluster.Patch, []string{"team-a"}, false},
		"a change of a webhook, in no namespace": {cluster.Patch, []string{""}, false},
	} {
		fix := &doctor.Fix{}
		for _, namespace := range c.namespaces {
			o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": map[string]any{"name": "a", "namespace": namespace}}}
			fix.Changes = append(fix.Changes, cluster.Change{Verb: c.verb, Before: o, After: o})
		}
		if why := restartsOthers(doctor.Proposal{Fix: fix}, own); (why != "") != c.refused || c.refused && !strings.Contains(why, "team-a") {
			t.Errorf("%s: %q", name, why)
		}
	}
}
