package upgrades

import (
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/mesh"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

var Skew = &doctor.Check{
	ID:    "upgrades/skew",
	Title: "Component versions match",
	Why: "The components of Kubeflow Pipelines depend on each other's version: if an upgrade reached only some of them, pages stay empty " +
		"and runs are not recorded. A pod keeps the sidecar that it was created with. After an Istio upgrade, old sidecars are supported " +
		"for two minor versions; after that they are incompatible with the control plane, and calls fail intermittently.",
	FixNote: "--fix (with --allow-restart) restarts the workloads whose pods have an older sidecar. Components of different releases are left " +
		"unchanged: install again to bring them to one release.",
	Sources: []string{"https://istio.io/latest/docs/releases/supported-releases/"},
	Reads:   []schema.GroupKind{kube.PodKind, kube.DeploymentKind, kube.StatefulSetKind, kube.DaemonSetKind, kube.ReplicaSetKind},
	Writes:  workloads.Restarted(workloads.Namespace),
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		planes, err := e.List(ctx, kube.DeploymentKind, cluster.Scope{Labels: "app=istiod"})
		if err != nil {
			return nil, err
		}
		var current []string
		for _, plane := range planes {
			if tag := kube.ParseImage(kube.Text(kube.TemplateContainer(plane, "discovery"), "image")).Tag; tag != "" {
				current = append(current, tag)
			}
		}
		deployments, err := e.List(ctx, kube.DeploymentKind, cluster.Scope{Namespace: workloads.Namespace})
		if err != nil {
			return nil, err
		}
		findings := componentFindings(deployments)
		if len(current) == 0 {
			if len(deployments) == 0 {
				return nil, doctor.Skip("there are no versions to compare")
			}
			return findings, nil
		}
		pods, err := e.List(ctx, kube.PodKind, cluster.Scope{Namespace: workloads.Namespace})
		if err != nil {
			return nil, err
		}
		old, versions, owners := olderSidecars(pods, current)
		if len(old) == 0 {
			return findings, nil
		}
		b := mesh.MissingSidecars{}
		if b.Workloads, err = workloads.ControllersOf(ctx, e, workloads.Namespace, owners); err != nil {
			return nil, err
		}
		f := doctor.Finding{
			Severity:    doctor.Warning,
			About:       doctor.Subject{Ref: cluster.RefOf(old[0]), Field: "spec.containers"},
			Message:     fmt.Sprintf(oldSidecarsMessage, text.Plural(len(old), "pod"), text.Distinct(versions), text.Distinct(current), text.Names(old, text.Most, (*unstructured.Unstructured).GetName)),
			Consequence: oldSidecarsImpact,
			Command:     "kubectl rollout restart -n " + workloads.Namespace + " deployment,statefulset",
		}
		if len(b.Workloads) > 0 {
			f.Fix = &doctor.Fix{Title: fmt.Sprintf(oldSidecarsFix, text.Plural(len(b.Workloads), "workload")), Impact: doctor.RestartsPods, Changes: b.Restarts()}
		}
		return append(findings, f), nil
	},
}

// The texts of the findings.
const (
	oldSidecarsMessage = "sidecars of %s are older (%s) than the Istio control plane (%s): %s"
	oldSidecarsImpact  = "They are supported for two minor versions; after that calls fail intermittently."
	oldSidecarsFix     = "Restart %s with an older sidecar"
	componentsMessage  = "the Pipelines API server is from Kubeflow %s, %s from %s: %s"
	componentsImpact   = "Pages stay empty, or runs are not recorded."
	componentsCause    = "An upgrade reached only some of the components."
	componentsAdvice   = "Install the release again: the same command brings all components to it."
)

// pipelinesParts are the Deployments of Kubeflow Pipelines whose images have one tag in every release.
var pipelinesParts = []string{
	"ml-pipeline-ui", "ml-pipeline-persistenceagent", "ml-pipeline-scheduledworkflow", "ml-pipeline-viewer-crd", "ml-pipeline-visualizationserver", "cache-server", "metadata-writer",
}

// componentFindings compares the parts of Pipelines with its server. A tag of no release is a custom image, and ignored.
func componentFindings(deployments []*unstructured.Unstructured) []doctor.Finding {
	releaseOf := func(d *unstructured.Unstructured) string {
		for _, c := range kube.Items(d.Object, "spec", "template", "spec", "containers") {
			if tag := kube.ParseImage(kube.Text(c, "image")).Tag; tag != "" {
				if known, ok := release.Fingerprint(tag); ok {
					return known.Version
				}
			}
		}
		return ""
	}
	of := ""
	for _, d := range deployments {
		if d.GetName() == "ml-pipeline" {
			of = releaseOf(d)
		}
	}
	var others []*unstructured.Unstructured
	var from []string
	for _, d := range deployments {
		if r := releaseOf(d); of != "" && r != "" && r != of && slices.Contains(pipelinesParts, d.GetName()) {
			others, from = append(others, d), append(from, r)
		}
	}
	if len(others) == 0 {
		return nil
	}
	return []doctor.Finding{{
		Severity:    doctor.Warning,
		About:       doctor.Subject{Ref: cluster.RefOf(others[0]), Field: "spec.template.spec.containers[0].image"},
		Message:     fmt.Sprintf(componentsMessage, of, text.Plural(len(others), "component"), text.Distinct(from), text.Names(others, text.Most, (*unstructured.Unstructured).GetName)),
		Consequence: componentsImpact,
		Cause:       componentsCause,
		Advice:      componentsAdvice,
		Command:     "kubectl kubeflow install -r " + escape.Word(of) + " --diff",
	}}
}

// olderSidecars returns the pods whose sidecar is of none of the control planes' versions, those versions, and the pods' owners.
func olderSidecars(pods []*unstructured.Unstructured, current []string) (old []*unstructured.Unstructured, versions []string, owners map[cluster.Ref]bool) {
	owners = map[cluster.Ref]bool{}
	for _, pod := range pods {
		for _, c := range append(kube.Items(pod.Object, "spec", "containers"), kube.Items(pod.Object, "spec", "initContainers")...) {
			tag := kube.ParseImage(kube.Text(c, "image")).Tag
			if c["name"] != mesh.ProxyContainer || tag == "" || slices.Contains(current, tag) || !workloads.IsActive(pod) {
				continue
			}
			old, versions = append(old, pod), append(versions, tag)
			if owner := metav1.GetControllerOf(pod); owner != nil {
				owners[cluster.Ref{APIVersion: "apps", Kind: owner.Kind, Namespace: pod.GetNamespace(), Name: owner.Name}] = true
			}
		}
	}
	return old, versions, owners
}
