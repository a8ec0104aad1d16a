package checks

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

var kubernetesVersion = &doctor.Check{
	ID:    "platform/kubernetes-version",
	Title: "the Kubeflow release was tested on this Kubernetes version",
	Why: "Every Kubeflow release uses APIs that a later Kubernetes removes, and is tested on a few versions only. Above its ceiling " +
		"parts of it cannot be installed or stop working at the next upgrade of the cluster.",
	Cure:      "Nothing is changed: choose a release that fits (kubectl kubeflow releases), or a cluster that does.",
	Sources:   []string{"kubeflow/kubeflow#6469", "kubeflow/kubeflow#6690", "kubeflow/kubeflow#6827"},
	Reads:     []schema.GroupKind{deploymentKind},
	Preflight: true,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		known := e.Release
		if known == nil {
			var err error
			if known, err = doctor.Recognise(ctx, e); apierrors.IsNotFound(err) {
				return nil, doctor.Skip("Kubeflow Pipelines, by which a release is recognised, is not installed")
			} else if err != nil {
				return nil, err
			}
		}
		if known == nil {
			return nil, doctor.Skip("the release is none that this program knows")
		}
		server, err := e.Version(ctx)
		if err != nil {
			return nil, err
		}
		return judgeVersion(*known, server), nil
	},
}

func judgeVersion(r release.Release, server *version.Info) []doctor.Finding {
	if r.Kubernetes.Tested(server.GitVersion) {
		return nil
	}
	f := doctor.Finding{
		Severity: doctor.Warning,
		About:    doctor.Subject{Ref: cluster.Ref{APIVersion: "v1", Kind: "Namespace", Name: kubeflow}},
		Message:  fmt.Sprintf("%s was tested on Kubernetes %s, and this is %s", r, r.Kubernetes, server.GitVersion),
		Advice:   "Choose a release that fits this cluster.",
		Command:  "kubectl kubeflow releases",
	}
	if fitting := release.Fitting(server.GitVersion); len(fitting) > 0 {
		f.Advice = "Tested on this version: " + names(fitting, func(r release.Release) string { return "Kubeflow " + r.Version }) + "."
	}
	if !r.Kubernetes.Possible(server.GitVersion) {
		f.Severity = doctor.Error
		f.Consequence = fmt.Sprintf("It uses APIs that Kubernetes has no more after %s: those parts cannot be installed or changed.", r.Kubernetes.Ceiling)
	}
	return []doctor.Finding{f}
}
