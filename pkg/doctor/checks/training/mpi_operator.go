package training

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var MpiOperator = &doctor.Check{
	ID:    "training/mpi-operator",
	Title: "MPI operator supports its arguments",
	Why: "Kubeflow 1.2 and 1.3.0 run mpioperator/mpi-operator:latest with the argument --kubectl-delivery-image. Since v0.3.0 (September " +
		"2021) the image contains a different program, which does not support that argument: it exits with code 2 at once, and no MPIJob " +
		"is processed.",
	FixNote: "--fix pins the image to v0.2.3, as Kubeflow did in 1.3.1: it changes one field, and MPIJobs of kubeflow.org/v1 keep working. With " +
		"--mpi=v2beta1 it replaces the operator with v0.8.0 for kubeflow.org/v2beta1 instead. That deletes the old MPIJob CRD, so it needs " +
		"--allow-data-loss and is refused while MPIJobs exist.",
	Sources: []string{"kubeflow/manifests#2068", "kubeflow/manifests#2009", "kubeflow/mpi-operator#469", "kubeflow/mpi-operator#437"},
	Reads:   []schema.GroupKind{kube.DeploymentKind, kube.PodKind, mpiJobKind, kube.CustomResourceDefinitionKind},
	Writes: append([]doctor.Write{{Kind: kube.DeploymentKind, In: []string{workloads.Namespace}, Names: []string{"mpi-operator"}, Fields: []string{"/spec/template/spec/containers/*/image"}}},
		replacementWrites...),
	Run: runMPIOperator,
}

const (
	deliveryFlag = "--kubectl-delivery-image"
	lastV1Tag    = "v0.2.3"
)

// The texts of the finding.
const (
	rejectsFlagMessage = "image %s of Deployment kubeflow/mpi-operator does not support the argument " + deliveryFlag
	rejectsFlagImpact  = "The MPI operator cannot start, so no MPIJob is processed."
	rejectsFlagCause   = "The image tag is floating: since v0.3.0 it contains the operator for another API, which rejects that argument and exits with code 2."
	crashLoopMessage   = "Deployment kubeflow/mpi-operator is crash-looping (exit code 2): image %s does not support the argument " + deliveryFlag
	cachedImageImpact  = "It still runs a cached older image; the next pod that pulls the image will crash."
	pinFix             = "Pin the MPI operator to " + lastV1Tag
	replaceFix         = "Replace the MPI operator with v" + v2beta1Tag + " for kubeflow.org/v2beta1"
	existingJobsAdvice = "MPIJobs cannot be converted to v2beta1: %s. Export and delete them first, or omit --mpi=v2beta1 to keep them on the old operator."
)

func runMPIOperator(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
	operator, err := e.Get(ctx, cluster.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: workloads.Namespace, Name: "mpi-operator"})
	if apierrors.IsNotFound(err) {
		return nil, doctor.Skip("there is no mpi-operator in namespace %s", workloads.Namespace)
	} else if err != nil {
		return nil, err
	}
	if !mayRejectFlag(operator) {
		return nil, nil
	}
	pods, err := e.List(ctx, kube.PodKind, cluster.Scope{Namespace: workloads.Namespace, Labels: "app=mpi-operator"})
	if err != nil {
		return nil, err
	}
	f, found := mpiOperatorFinding(operator, pods)
	if !found {
		return nil, nil
	}
	f.Fix = pinOperator(operator)
	if e.MPI == "v2beta1" {
		if err := replaceOperator(ctx, e, &f); err != nil {
			return nil, err
		}
	}
	return []doctor.Finding{f}, nil
}

// mayRejectFlag reports whether the operator is passed the argument and may be a version that rejects it.
func mayRejectFlag(operator *unstructured.Unstructured) bool {
	c := kube.TemplateContainer(operator, "mpi-operator")
	hasFlag := slices.ContainsFunc(kube.Texts(c, "args"), func(arg string) bool {
		return arg == deliveryFlag || strings.HasPrefix(arg, deliveryFlag+"=")
	})
	ofV1 := slices.Contains(kube.Texts(c, "command"), "/opt/mpi-operator.v1")
	tag := kube.ParseImage(kube.Text(c, "image")).Tag
	return hasFlag && !ofV1 && !supportsFlag(tag)
}

// supportsFlag reports whether the version in an image tag supports the argument.
func supportsFlag(tag string) bool {
	v, err := semver.NewVersion(tag)
	return err == nil && v.LessThan(semver.MustParse("0.3.0-0"))
}

// isKnownTag reports whether a tag is one of the project's own; the version behind a digest or a private tag is unknown.
func isKnownTag(tag string) bool {
	_, err := semver.NewVersion(tag)
	return err == nil || tag == "latest" || tag == "master"
}

func mpiOperatorFinding(operator *unstructured.Unstructured, pods []*unstructured.Unstructured) (doctor.Finding, bool) {
	c := kube.TemplateContainer(operator, "mpi-operator")
	image := kube.Text(c, "image")
	tag := kube.ParseImage(image).Tag
	crashes := slices.ContainsFunc(pods, rejectedArguments)
	if !crashes && !isKnownTag(tag) {
		return doctor.Finding{}, false
	}
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(operator), Field: "spec.template.spec.containers[0].image"},
		Message:     fmt.Sprintf(rejectsFlagMessage, image),
		Consequence: rejectsFlagImpact,
		Cause:       rejectsFlagCause,
		Command:     "kubectl set image -n kubeflow deployment/mpi-operator mpi-operator=" + escape.Word(pinnedImage(image)),
	}
	available, _, _ := unstructured.NestedInt64(operator.Object, "status", "availableReplicas")
	switch {
	case crashes:
		f.Message = fmt.Sprintf(crashLoopMessage, image)
	case available > 0:
		f.Severity = doctor.Warning
		f.Consequence = cachedImageImpact
	}
	return f, true
}

// rejectedArguments reports whether a container exited with code 2, as Go's flag package does for an unknown flag.
func rejectedArguments(pod *unstructured.Unstructured) bool {
	for _, status := range kube.Items(pod.Object, "status", "containerStatuses") {
		for _, state := range []string{"state", "lastState"} {
			code, found, _ := unstructured.NestedInt64(status, state, "terminated", "exitCode")
			if found && code == 2 {
				return true
			}
		}
	}
	return false
}

func pinnedImage(image string) string {
	repository := kube.ParseImage(image).Repository
	return repository + ":" + lastV1Tag
}

func pinOperator(operator *unstructured.Unstructured) *doctor.Fix {
	return &doctor.Fix{
		Title:  pinFix,
		Impact: doctor.Safe, // it restarts a pod that is crash-looping
		Changes: []cluster.Change{cluster.Edit(operator, func(o *unstructured.Unstructured) {
			image := kube.Text(kube.TemplateContainer(o, "mpi-operator"), "image")
			setContainer(o, "mpi-operator", "image", pinnedImage(image))
		})},
	}
}

// setContainer sets one field of a container of a workload's pods.
func setContainer(workload *unstructured.Unstructured, name, field string, value any) {
	list, _, _ := unstructured.NestedSlice(workload.Object, "spec", "template", "spec", "containers")
	for i, item := range list {
		if c, ok := item.(map[string]any); ok && (c["name"] == name || len(list) == 1) {
			c[field] = value
			list[i] = c
		}
	}
	_ = unstructured.SetNestedSlice(workload.Object, list, "spec", "template", "spec", "containers")
}

var mpiJobKind = schema.GroupKind{Group: "kubeflow.org", Kind: "MPIJob"}
