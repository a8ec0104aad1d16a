package certificates

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var PipelinesCache = &doctor.Check{
	ID:    "certificates/pipelines-cache",
	Title: "Pipelines cache has its certificate",
	Why: "Up to Kubeflow 1.4 the pipelines cache asks the cluster's own signer for its certificate. Newer Kubernetes versions reject such a " +
		"request, or leave it pending until an administrator approves it. The cache never starts, and every step runs again although " +
		"nothing has changed.",
	FixNote: "No automatic fix: approving a certificate request is a trust decision. The finding gives the command.",
	Sources: []string{"kubeflow/manifests#2165", "kubeflow/pipelines#4505", "kubeflow/pipelines#7273"},
	Reads:   []schema.GroupKind{kube.DeploymentKind, kube.PodKind, kube.CertificateSigningRequestKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		_, err := e.Get(ctx, cluster.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: workloads.Namespace, Name: "cache-deployer-deployment"})
		if apierrors.IsNotFound(err) {
			return nil, doctor.Skip("cert-manager issues the certificate of this release's cache, or there is no cache")
		}
		if err != nil {
			return nil, err
		}
		pods, err := e.List(ctx, kube.PodKind, cluster.Scope{Namespace: workloads.Namespace})
		if err != nil {
			return nil, err
		}
		var waiting *unstructured.Unstructured
		for _, pod := range pods {
			if pod.GetLabels()["app"] == "cache-server" && kube.Text(pod.Object, "status", "phase") == "Pending" {
				waiting = pod
			}
		}
		if waiting == nil {
			return nil, nil
		}
		request, err := workloads.Find(ctx, e, cluster.Ref{APIVersion: "certificates.k8s.io/v1", Kind: kube.CertificateSigningRequestKind.Kind, Name: "cache-server." + workloads.Namespace})
		if err != nil {
			return nil, err
		}
		return []doctor.Finding{cacheFinding(waiting, request)}, nil
	},
}

func cacheFinding(waiting, request *unstructured.Unstructured) doctor.Finding {
	f := doctor.Finding{
		Severity:    doctor.Warning,
		About:       doctor.Subject{Ref: cluster.RefOf(waiting)},
		Message:     kube.KindName(waiting) + " is waiting for the certificate of the pipelines cache",
		Consequence: "Every pipeline step runs again although nothing has changed.",
		Cause:       "Deployment cache-deployer-deployment has not obtained the certificate.",
		Advice:      "Its log has the reason; from Kubeflow 1.5 on cert-manager issues this certificate.",
		Command:     fmt.Sprintf("kubectl logs -n %s deployment/cache-deployer-deployment", workloads.Namespace),
	}
	if request == nil {
		return f
	}
	f.Cause = "CertificateSigningRequest " + request.GetName() + " is waiting for approval."
	f.Advice, f.Command = "Approve the request.", "kubectl certificate approve "+escape.Word(request.GetName())
	for _, c := range kube.Conditions(request) {
		if c.Type == "Denied" || c.Type == "Failed" {
			f.Cause = "CertificateSigningRequest " + request.GetName() + " was not issued: " + c.Message
			f.Advice = "Delete the request so that it is recreated, then approve it."
			f.Command = "kubectl delete csr " + escape.Word(request.GetName())
		}
	}
	return f
}
