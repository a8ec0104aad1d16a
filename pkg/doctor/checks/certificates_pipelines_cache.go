package checks

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var requestKind = schema.GroupKind{Group: "certificates.k8s.io", Kind: "CertificateSigningRequest"}

var pipelinesCache = &doctor.Check{
	ID:    "certificates/pipelines-cache",
	Title: "the cache of pipelines has its certificate",
	Why: "Up to Kubeflow 1.4 the cache of pipelines asks the cluster itself to sign its certificate. Newer Kubernetes signs no such request, or waits for somebody to approve it: the cache never starts, and every step " +
		"runs again although nothing has changed.",
	Cure:    "Nothing by itself: approving a request is trust that somebody has to give. The command is the finding's.",
	Sources: []string{"kubeflow/manifests#2165", "kubeflow/pipelines#4505", "kubeflow/pipelines#7273"},
	Reads:   []schema.GroupKind{deploymentKind, podKind, requestKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		_, err := e.Get(ctx, cluster.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: kubeflow, Name: "cache-deployer-deployment"})
		if apierrors.IsNotFound(err) {
			return nil, doctor.Skip("cert-manager makes the certificate of this release's cache, or there is none")
		}
		if err != nil {
			return nil, err
		}
		pods, err := e.List(ctx, podKind, cluster.Scope{Namespace: kubeflow})
		if err != nil {
			return nil, err
		}
		var waiting *unstructured.Unstructured
		for _, pod := range pods {
			if pod.GetLabels()["app"] == "cache-server" && text(pod.Object, "status", "phase") == "Pending" {
				waiting = pod
			}
		}
		if waiting == nil {
			return nil, nil
		}
		request, err := find(ctx, e, cluster.Ref{APIVersion: "certificates.k8s.io/v1", Kind: requestKind.Kind, Name: "cache-server." + kubeflow})
		if err != nil {
			return nil, err
		}
		return []doctor.Finding{judgeCache(waiting, request)}, nil
	},
}

func judgeCache(waiting, request *unstructured.Unstructured) doctor.Finding {
	f := doctor.Finding{
		Severity:    doctor.Warning,
		About:       doctor.Subject{Ref: cluster.RefOf(waiting)},
		Message:     "the cache of pipelines waits for its certificate",
		Consequence: "Every step of a pipeline runs again although nothing has changed.",
		Cause:       "What asks for the certificate, cache-deployer-deployment, has not got one.",
		Advice:      "Its log says why; from Kubeflow 1.5 on cert-manager makes the certificate.",
		Command:     fmt.Sprintf("kubectl logs -n %s deployment/cache-deployer-deployment", kubeflow),
	}
	if request == nil {
		return f
	}
	f.Cause = "Its request " + request.GetName() + " waits for somebody to approve it."
	f.Advice, f.Command = "Approve the request.", "kubectl certificate approve "+request.GetName()
	for _, c := range items(request.Object, "status", "conditions") {
		if kind := text(c, "type"); kind == "Denied" || kind == "Failed" {
			f.Cause = "Its request " + request.GetName() + " was refused: " + text(c, "message")
			f.Advice = "Delete the request, so that it is made anew, and approve it then."
			f.Command = "kubectl delete csr " + request.GetName()
		}
	}
	return f
}
