package training

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

// replaceOperator offers the operator of kubeflow.org/v2beta1 instead of the pinned old one.
// Existing MPIJobs cannot be converted: while there are any, the finding has advice instead of a fix.
func replaceOperator(ctx context.Context, e doctor.Exam, f *doctor.Finding) error {
	jobs, err := e.List(ctx, mpiJobKind, cluster.Scope{})
	if err != nil && !meta.IsNoMatchError(err) {
		return err
	}
	f.Fix = nil
	if len(jobs) > 0 {
		f.Advice = fmt.Sprintf(existingJobsAdvice, text.Names(jobs, text.Most, func(o *unstructured.Unstructured) string {
			return o.GetNamespace() + "/" + o.GetName()
		}))
		f.Command = "kubectl get mpijobs -A -o yaml > mpijobs.yaml && kubectl delete mpijobs -A --all"
		return nil
	}
	old, err := e.Get(ctx, crdRef("mpijobs.kubeflow.org"))
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	f.Fix = &doctor.Fix{Title: replaceFix, Impact: doctor.LosesData}
	if err == nil { // its stored version cannot be changed to the new one
		f.Fix.Changes = append(f.Fix.Changes, cluster.Change{Verb: cluster.Delete, Before: old})
	}
	for _, o := range applyOrder(e.MPIOperator) {
		before, err := e.Get(ctx, cluster.RefOf(o))
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		if o.GetKind() == "CustomResourceDefinition" {
			before = nil // the old one is deleted first
		}
		f.Fix.Changes = append(f.Fix.Changes, cluster.Change{Verb: cluster.Apply, Before: before, After: pinTag(o)})
	}
	return nil
}

// replacementWrites are what replacing the operator does.
var replacementWrites = []doctor.Write{
	{Kind: kube.CustomResourceDefinitionKind, Names: []string{"mpijobs.kubeflow.org"}, Create: true, Delete: true, Option: mpiOption},
	{Kind: schema.GroupKind{Kind: "ServiceAccount"}, In: []string{workloads.Namespace}, Names: []string{"mpi-operator"}, Fields: []string{"/metadata/labels"}, Create: true, Option: mpiOption},
	{Kind: kube.DeploymentKind, In: []string{workloads.Namespace}, Names: []string{"mpi-operator"}, Fields: []string{"/metadata/labels", "/metadata/annotations", "/spec"}, Option: mpiOption},
	{Kind: schema.GroupKind{Group: rbacGroup, Kind: "ClusterRole"}, Names: []string{"mpi-operator", "kubeflow-mpijobs-admin", "kubeflow-mpijobs-edit", "kubeflow-mpijobs-view"},
		Fields: []string{"/metadata/labels", "/aggregationRule", "/rules"}, Create: true, Option: mpiOption},
	{Kind: schema.GroupKind{Group: rbacGroup, Kind: "ClusterRoleBinding"}, Names: []string{"mpi-operator"},
		Fields: []string{"/metadata/labels", "/subjects"}, Create: true, Option: mpiOption},
}

const (
	mpiOption = "--mpi=v2beta1"
	rbacGroup = "rbac.authorization.k8s.io"
)

func crdRef(name string) cluster.Ref {
	return cluster.Ref{APIVersion: "apiextensions.k8s.io/v1", Kind: "CustomResourceDefinition", Name: name}
}

// applyOrder sorts the CRD first, and the Deployment after the permissions that it needs.
func applyOrder(objects []*unstructured.Unstructured) []*unstructured.Unstructured {
	var first, middle, last []*unstructured.Unstructured
	for _, o := range objects {
		switch o.GetKind() {
		case "CustomResourceDefinition", "Namespace":
			first = append(first, o)
		case "Deployment":
			last = append(last, o)
		default:
			middle = append(middle, o)
		}
	}
	return append(append(first, middle...), last...)
}

// v2beta1Tag is the tested release of the operator, because a floating tag caused the original problem.
const v2beta1Tag = "0.8.0"

func pinTag(o *unstructured.Unstructured) *unstructured.Unstructured {
	if o.GetKind() != "Deployment" {
		return o
	}
	o = o.DeepCopy()
	repository := kube.ParseImage(kube.Text(kube.TemplateContainer(o, "mpi-operator"), "image")).Repository
	setContainer(o, "mpi-operator", "image", repository+":"+v2beta1Tag)
	return o
}
