package platform

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

var KubernetesVersion = &doctor.Check{
	ID:    "platform/kubernetes-version",
	Title: "Kubeflow release is tested on this Kubernetes version",
	Why: "Every Kubeflow release uses APIs that a later Kubernetes version removes, and is tested on a few versions only. Above its maximum " +
		"version parts of it cannot be installed, or stop working at the next cluster upgrade.",
	FixNote:   "No automatic fix: choose a compatible release (kubectl kubeflow releases), or a compatible cluster.",
	Sources:   []string{"kubeflow/kubeflow#6469", "kubeflow/kubeflow#6690", "kubeflow/kubeflow#6827"},
	Reads:     []schema.GroupKind{kube.DeploymentKind},
	Preflight: true,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		known := e.Release
		if known == nil {
			var err error
			if known, err = doctor.Recognise(ctx, e); apierrors.IsNotFound(err) {
				return nil, doctor.Skip("Kubeflow Pipelines, which identifies the release, is not installed")
			} else if err != nil {
				return nil, err
			}
		}
		if known == nil {
			return nil, doctor.Skip("the installed release is unknown")
		}
		server, err := e.Version(ctx)
		if err != nil {
			return nil, err
		}
		return versionFindings(*known, server), nil
	},
}

func versionFindings(r release.Release, server *version.Info) []doctor.Finding {
	if r.Kubernetes.Tested(server.GitVersion) {
		return nil
	}
	f := doctor.Finding{
		Severity: doctor.Warning,
		About:    doctor.Subject{Ref: cluster.Ref{APIVersion: "v1", Kind: "Namespace", Name: workloads.Namespace}},
		Message:  fmt.Sprintf("%s was tested on Kubernetes %s, but the cluster runs %s", r, r.Kubernetes, server.GitVersion),
		Advice:   "Choose a release that supports this Kubernetes version.",
		Command:  "kubectl kubeflow releases",
	}
	if compatible := release.Fitting(server.GitVersion); len(compatible) > 0 {
		f.Advice = "Tested on this version: " + text.Names(compatible, text.Most, func(r release.Release) string { return "Kubeflow " + r.Version }) + "."
	}
	if !r.Kubernetes.Possible(server.GitVersion) {
		f.Severity = doctor.Error
		f.Consequence = fmt.Sprintf("It uses APIs that Kubernetes removed after %s: those parts cannot be installed or updated.", r.Kubernetes.Ceiling)
	}
	return []doctor.Finding{f}
}
