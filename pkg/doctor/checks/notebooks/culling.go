package notebooks

import (
	"context"
	"fmt"
	"slices"

	"github.com/Masterminds/semver/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var cullerRef = cluster.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: workloads.Namespace, Name: "notebook-controller-deployment"}

var Culling = &doctor.Check{
	ID:    "notebooks/culling",
	Title: "Notebook culling uses variables that the controller reads",
	Why: "The variables with which the notebook controller stops idle notebooks were renamed: from Kubeflow 1.6 on it reads only the new ones. A Deployment " +
		"that still sets the old ones uses the defaults instead: idle notebooks, with their GPUs, run on for a day, or are stopped sooner than was set.",
	FixNote: "No automatic fix: with the new names idle notebooks stop at the time that was set, which users may not expect. Rename the variables.",
	Sources: []string{"kubeflow/kubeflow#7053"},
	Reads:   []schema.GroupKind{kube.DeploymentKind, kube.ConfigMapKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		controller, err := workloads.Find(ctx, e, cullerRef)
		if err != nil {
			return nil, err
		}
		if controller == nil {
			return nil, doctor.Skip("the notebook controller is not installed")
		}
		if !readsNewNames(controller) {
			return nil, doctor.Skip("this version of the notebook controller reads the old variables")
		}
		inMaps, err := oldKeys(ctx, e, controller)
		if err != nil {
			return nil, err
		}
		var old []string
		for _, variable := range kube.Items(kube.TemplateContainer(controller, "manager"), "env") {
			if name := kube.Text(variable, "name"); renamed[name] != "" {
				old = append(old, name)
			}
		}
		if len(old) == 0 && len(inMaps) == 0 {
			return nil, nil
		}
		return []doctor.Finding{cullingFinding(controller, old, inMaps)}, nil
	},
}

// renamed are the variables of the notebook controller that were renamed.
var renamed = map[string]string{"IDLE_TIME": "CULL_IDLE_TIME", "CULLING_CHECK_PERIOD": "IDLENESS_CHECK_PERIOD"}

// readsNewNames reports whether the controller is of Kubeflow 1.6 or newer. Images of before have a commit as their tag.
func readsNewNames(controller *unstructured.Unstructured) bool {
	tag := kube.ParseImage(kube.Text(kube.TemplateContainer(controller, "manager"), "image")).Tag
	v, err := semver.NewVersion(tag)
	return err == nil && !v.LessThan(semver.MustParse("1.6.0"))
}

// oldKeys returns the old names that ConfigMaps of the container's envFrom set: "IDLE_TIME in ConfigMap x".
func oldKeys(ctx context.Context, e doctor.Exam, controller *unstructured.Unstructured) ([]string, error) {
	var found []string
	for _, from := range kube.Items(kube.TemplateContainer(controller, "manager"), "envFrom") {
		name := kube.Text(from, "configMapRef", "name")
		if name == "" {
			continue
		}
		config, err := workloads.Find(ctx, e, cluster.Ref{APIVersion: "v1", Kind: kube.ConfigMapKind.Kind, Namespace: controller.GetNamespace(), Name: name})
		if err != nil {
			return nil, err
		}
		if config == nil {
			continue
		}
		for _, key := range []string{"CULLING_CHECK_PERIOD", "IDLE_TIME"} {
			if kube.Text(config.Object, "data", key) != "" {
				found = append(found, fmt.Sprintf("%s of ConfigMap %s", key, name))
			}
		}
	}
	return found, nil
}

func cullingFinding(controller *unstructured.Unstructured, old, inMaps []string) doctor.Finding {
	f := doctor.Finding{
		Severity:    doctor.Warning,
		About:       doctor.Subject{Ref: cluster.RefOf(controller), Field: "spec.template.spec.containers"},
		Message:     fmt.Sprintf("%s sets variables that it does not read: %s", kube.KindName(controller), text.And(append(slices.Clone(old), inMaps...)...)),
		Consequence: "The controller uses its defaults: it stops a notebook after a day without activity, and checks every minute.",
		Cause:       "IDLE_TIME is now CULL_IDLE_TIME, and CULLING_CHECK_PERIOD is IDLENESS_CHECK_PERIOD.",
		Advice:      "Rename them where they are set.",
		Command:     fmt.Sprintf("kubectl edit deployment -n %s %s", escape.Word(controller.GetNamespace()), escape.Word(controller.GetName())),
	}
	return f
}
