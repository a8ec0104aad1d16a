package kubeflow

import (
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/appdir"
)

func TestOnlyAKubeflowTakesKubeflowsName(t *testing.T) {
	for file, want := range map[string]string{
		"mpi-operator.yaml":                      "mpi-operator",
		"https://example.org/a/My_App.yml":       "my-app",
		"manifests/":                             "manifests",
		"-":                                      "manifests",
		"a-very-long-name-of-a-file-indeed.yaml": "a-very-long-name-of-a-fil",
	} {
		o := Source{File: file}
		if got := o.installationName(&release.Rendered{}); got != want {
			t.Errorf("%s is kept under %q, want %q", file, got, want)
		}
		if !appdir.ValidName(want) {
			t.Errorf("%q is no name", want)
		}
		if got := o.installationName(&release.Rendered{Namespace: "kubeflow"}); got != "kubeflow" {
			t.Errorf("a KfDef is kept under %q, want kubeflow", got)
		}
	}
}
