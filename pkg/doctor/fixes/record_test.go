package fixes

import (
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

func TestARecordKeepsWhatASecretHeldInASecret(t *testing.T) {
	r := Run{Steps: []*Step{{About: cluster.Ref{APIVersion: "v1", Kind: "ConfigMap"}}}}
	if r.secret() {
		t.Error("a record about ConfigMaps asks for a Secret")
	}
	r.Steps = append(r.Steps, &Step{About: cluster.Ref{APIVersion: "v1", Kind: "Secret"}})
	if !r.secret() {
		t.Error("a record about a Secret would be kept in a ConfigMap")
	}
}
