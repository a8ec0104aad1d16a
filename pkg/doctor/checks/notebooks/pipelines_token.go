package notebooks

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var PipelinesToken = &doctor.Check{
	ID:    "notebooks/pipelines-token",
	Title: "Notebooks can get a token for Pipelines",
	Why: "A notebook that starts pipelines needs a token that Kubeflow Pipelines accepts. A PodDefault in the profile namespace mounts one " +
		"into the notebooks that select it. No release creates this PodDefault, so the Pipelines SDK gets 401 until it exists.",
	FixNote: "Fixed only if the check is named, since you decide whether notebooks may start pipelines: doctor notebooks/pipelines-token --fix " +
		"creates the PodDefault in every profile namespace.",
	Reach:  doctor.AlsoOneNamespace,
	Reads:  []schema.GroupKind{kube.NamespaceKind, kube.PodDefaultKind},
	Writes: []doctor.Write{{Kind: kube.PodDefaultKind, In: []string{doctor.Profiles}, Names: []string{tokenPodDefaultName}, Fields: []string{"/spec/desc", "/spec/env", "/spec/selector", "/spec/volumeMounts", "/spec/volumes"}, Create: true}},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		namespaces, err := e.List(ctx, kube.NamespaceKind, cluster.Scope{})
		if err != nil {
			return nil, err
		}
		defaults, err := e.List(ctx, kube.PodDefaultKind, cluster.Scope{})
		if err != nil {
			return nil, err
		}
		provided := map[string]bool{}
		for _, d := range defaults {
			provided[d.GetNamespace()] = provided[d.GetNamespace()] || providesToken(d)
		}
		without := slices.DeleteFunc(slices.Clone(namespaces), func(ns *unstructured.Unstructured) bool {
			return ns.GetLabels()[workloads.ProfileLabel] != "kubeflow-profile" || provided[ns.GetName()]
		})
		if len(without) == 0 {
			return nil, nil
		}
		f := doctor.Finding{
			Severity:    doctor.Info,
			About:       doctor.Subject{Ref: cluster.RefOf(without[0])},
			Message:     fmt.Sprintf("no PodDefault gives notebooks a token for Pipelines in %s: %s", text.Plural(len(without), "profile namespace"), text.Names(without, text.Most, (*unstructured.Unstructured).GetName)),
			Consequence: "The Pipelines SDK gets 401 there.",
			Advice:      "Create a PodDefault access-ml-pipeline there: a projected token for the audience " + tokenAudience + ", and the variable KF_PIPELINES_SA_TOKEN_PATH.",
			Command:     "kubectl kubeflow doctor notebooks/pipelines-token --fix",
		}
		if e.Named {
			f.Fix = &doctor.Fix{Title: "Create PodDefaults that give notebooks a token for Pipelines", Impact: doctor.Safe}
			for _, ns := range without {
				f.Fix.Changes = append(f.Fix.Changes, cluster.Change{Verb: cluster.Apply, After: tokenPodDefault(ns.GetName())})
			}
		}
		return []doctor.Finding{f}, nil
	},
}

// tokenPodDefault mounts a token for Pipelines in the notebooks that select it on the form.
func tokenPodDefault(namespace string) *unstructured.Unstructured {
	const volume, folder = "volume-kf-pipeline-token", "/var/run/secrets/kubeflow/pipelines"
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "kubeflow.org/v1alpha1", "kind": kube.PodDefaultKind.Kind,
		"metadata": map[string]any{"name": tokenPodDefaultName, "namespace": namespace},
		"spec": map[string]any{
			"desc":     "Allow access to Kubeflow Pipelines",
			"selector": map[string]any{"matchLabels": map[string]any{"access-ml-pipeline": "true"}},
			"volumes": []any{map[string]any{"name": volume, "projected": map[string]any{"sources": []any{map[string]any{
				"serviceAccountToken": map[string]any{"path": "token", "expirationSeconds": int64(7200), "audience": tokenAudience},
			}}}}},
			"volumeMounts": []any{map[string]any{"name": volume, "mountPath": folder, "readOnly": true}},
			"env":          []any{map[string]any{"name": "KF_PIPELINES_SA_TOKEN_PATH", "value": folder + "/token"}},
		},
	}}
}

const (
	tokenPodDefaultName = "access-ml-pipeline"
	tokenAudience       = "pipelines.kubeflow.org"
)

// providesToken reports whether a PodDefault mounts a token for Pipelines.
func providesToken(d *unstructured.Unstructured) bool {
	for _, volume := range kube.Items(d.Object, "spec", "volumes") {
		for _, source := range kube.Items(volume, "projected", "sources") {
			if kube.Text(source, "serviceAccountToken", "audience") == tokenAudience {
				return true
			}
		}
	}
	return false
}
