package training

import (
	"context"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var MpiOwners = &doctor.Check{
	ID:    "training/mpi-owners",
	Title: "Only one operator handles MPIJobs",
	Why: "From Kubeflow 1.5 to 1.10 the training operator handles MPIJobs, unless it is limited to certain kinds. Alongside it, an MPI " +
		"operator has its CRD replaced by the training operator's, and each reverts the other's work.",
	FixNote: "No automatic fix: remove the MPI operator, or limit the training operator's kinds (--enable-scheme).",
	Sources: []string{"kubeflow/trainer#1777", "kubeflow/trainer#1972", "kubeflow/trainer#2090"},
	Reads:   []schema.GroupKind{kube.DeploymentKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		var training, mpi *unstructured.Unstructured
		for _, namespace := range []string{workloads.Namespace, "mpi-operator"} {
			deployments, err := e.List(ctx, kube.DeploymentKind, cluster.Scope{Namespace: namespace})
			if err != nil {
				return nil, err
			}
			for _, d := range deployments {
				switch d.GetName() {
				case "training-operator":
					training = d
				case "mpi-operator":
					mpi = d
				}
			}
		}
		if training == nil || mpi == nil || excludesMPIJobs(training) {
			return nil, nil
		}
		return []doctor.Finding{{
			Severity:    doctor.Error,
			About:       doctor.Subject{Ref: cluster.RefOf(mpi)},
			Message:     "the training operator and an MPI operator both handle MPIJobs",
			Consequence: "MPIJobs fail halfway, or make no progress.",
			Advice:      "Remove the MPI operator, or limit the training operator's kinds: --enable-scheme=tfjob, pytorchjob and so on, without mpijob.",
			Command:     "kubectl edit deployment -n " + escape.Word(training.GetNamespace()) + " training-operator",
		}}, nil
	},
}

// excludesMPIJobs reports whether the training operator is limited to certain kinds without MPIJobs.
func excludesMPIJobs(d *unstructured.Unstructured) bool {
	var kinds []string
	c := kube.TemplateContainer(d, "training-operator")
	for _, arg := range append(kube.Texts(c, "command"), kube.Texts(c, "args")...) {
		if name, value, ok := strings.Cut(strings.TrimLeft(arg, "-"), "="); ok && name == "enable-scheme" {
			kinds = append(kinds, strings.ToLower(value))
		}
	}
	return len(kinds) > 0 && !slices.Contains(kinds, "mpijob")
}
