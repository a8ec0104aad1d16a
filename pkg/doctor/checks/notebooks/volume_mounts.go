package notebooks

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var VolumeMounts = &doctor.Check{
	ID:    "notebooks/volume-mounts",
	Title: "Notebooks have the fields that the dashboard reads",
	Why: "The dashboard's page of notebooks expects a list of volumeMounts in the first container of every Notebook, as its own form writes it. For a " +
		"Notebook without one, applied from a file, the page of the whole namespace answers with an internal error (500).",
	FixNote: "No automatic fix: a change of its container restarts the notebook. The finding has the command, for a moment that suits its user.",
	Sources: []string{"https://github.com/kubeflow/kubeflow/blob/master/components/crud-web-apps/jupyter/backend/apps/common/utils.py"},
	Reads:   []schema.GroupKind{kube.NotebookKind, kube.NamespaceKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		list, err := e.List(ctx, kube.NotebookKind, workloads.EveryNotebook)
		if err != nil {
			return nil, err
		}
		if len(list) == 0 {
			return nil, doctor.Skip("there are no Notebooks")
		}
		profiles, err := workloads.ProfileNamespaces(ctx, e)
		if err != nil {
			return nil, err
		}
		without := slices.DeleteFunc(slices.Clone(list), func(o *unstructured.Unstructured) bool {
			return profiles[o.GetNamespace()] == nil || o.GetDeletionTimestamp() != nil || hasMounts(o)
		})
		if len(without) == 0 {
			return nil, nil
		}
		return []doctor.Finding{mountsFinding(without)}, nil
	},
}

func hasMounts(notebook *unstructured.Unstructured) bool {
	containers := kube.Items(notebook.Object, "spec", "template", "spec", "containers")
	if len(containers) == 0 {
		return true
	}
	_, listed := containers[0]["volumeMounts"].([]any)
	return listed
}

func mountsFinding(notebooks []*unstructured.Unstructured) doctor.Finding {
	first := notebooks[0]
	f := doctor.Finding{
		Severity:    doctor.Info, // of a user, who may not use the dashboard
		About:       doctor.Subject{Ref: cluster.RefOf(first), Field: "spec.template.spec.containers[0].volumeMounts"},
		Message:     text.Names(notebooks, text.Most, kube.KindName) + text.Verb(len(notebooks), " has", " have") + " no volumeMounts",
		Consequence: "The dashboard's page of notebooks answers with an internal error (500) in that namespace.",
		Advice:      "Add an empty list. The notebook restarts.",
		Command: escape.Commandf("kubectl patch notebook.kubeflow.org -n %s %s --type=json -p %s", first.GetNamespace(), first.GetName(),
			`[{"op":"add","path":"/spec/template/spec/containers/0/volumeMounts","value":[]}]`),
	}
	for _, o := range notebooks[1:] {
		f.Affects = append(f.Affects, cluster.RefOf(o))
	}
	return f
}
