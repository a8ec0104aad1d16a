package tenancy

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var ProfileParts = &doctor.Check{
	ID:    "tenancy/profile-parts",
	Title: "Profile namespaces are complete",
	Why: "The profile controller creates the service account default-editor in each profile namespace, and the Pipelines profile controller " +
		"creates the artifact server. Without them notebooks do not start, or run outputs cannot be viewed.",
	FixNote: "--fix (with --allow-restart) restarts the controllers that create them; on startup they reconcile every namespace.",
	Reads:   []schema.GroupKind{kube.NamespaceKind, kube.ServiceAccountKind, kube.DeploymentKind, kube.StatefulSetKind, kube.ConfigMapKind},
	Writes: []doctor.Write{
		{Kind: kube.DeploymentKind, In: []string{workloads.Namespace}, Names: []string{profilesRef.Name, "kubeflow-pipelines-profile-controller"}, Restart: true},
		{Kind: kube.StatefulSetKind, In: []string{workloads.Namespace}, Names: []string{"metacontroller"}, Restart: true},
	},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		users, err := workloads.ProfileNamespaces(ctx, e)
		if err != nil {
			return nil, err
		}
		if len(users) == 0 {
			return nil, doctor.Skip("there are no profile namespaces yet")
		}
		now, err := e.Now(ctx)
		if err != nil {
			return nil, err
		}
		users = maps.Clone(users)
		for name, ns := range users {
			if now.Sub(ns.GetCreationTimestamp().Time) < reconcileTime || ns.GetDeletionTimestamp() != nil {
				delete(users, name)
			}
		}
		var findings []doctor.Finding
		for _, part := range profileParts {
			f, err := part.finding(ctx, e, users)
			if err != nil {
				return nil, err
			}
			if f != nil {
				findings = append(findings, *f)
			}
		}
		return findings, nil
	},
}

// A profilePart is an object that controllers create in every profile namespace.
type profilePart struct {
	kind        schema.GroupKind
	in          cluster.Scope
	name        string
	controllers []cluster.Ref
	consequence string
	setting     string // the variable of the first controller that turns the part on, where it has one
}

var profileParts = []profilePart{
	{kind: kube.ServiceAccountKind, in: cluster.Scope{Fields: "metadata.name=default-editor", Metadata: true}, name: "default-editor",
		controllers: []cluster.Ref{profilesRef}, consequence: "Notebooks and pipelines there do not start."},
	{kind: kube.DeploymentKind, in: cluster.Scope{Labels: workloads.ProfileServers, Metadata: true}, name: "ml-pipeline-ui-artifact",
		controllers: []cluster.Ref{
			{APIVersion: "apps/v1", Kind: "Deployment", Namespace: workloads.Namespace, Name: "kubeflow-pipelines-profile-controller"},
			{APIVersion: "apps/v1", Kind: "StatefulSet", Namespace: workloads.Namespace, Name: "metacontroller"},
		}, consequence: "Run outputs cannot be viewed there.", setting: "ARTIFACTS_PROXY_ENABLED"}, // off by default since Pipelines 2.15
}

// isOn reports whether a controller creates the part: unless its setting exists and is anything but true.
func (p profilePart) isOn(ctx context.Context, e doctor.Exam, controller *unstructured.Unstructured) (bool, error) {
	if p.setting == "" {
		return true, nil
	}
	for _, c := range kube.Items(controller.Object, "spec", "template", "spec", "containers") {
		for _, variable := range kube.Items(c, "env") {
			if kube.Text(variable, "name") != p.setting {
				continue
			}
			value := kube.Text(variable, "value")
			if from := kube.Map(variable, "valueFrom", "configMapKeyRef"); from != nil {
				config, err := workloads.Find(ctx, e, cluster.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: controller.GetNamespace(), Name: kube.Text(from, "name")})
				if err != nil {
					return false, err
				}
				if config != nil {
					value = kube.Text(config.Object, "data", kube.Text(from, "key"))
				}
			}
			return strings.EqualFold(value, "true"), nil
		}
	}
	return true, nil
}

// finding reports the namespaces without the part; nil if there are none, or if its controllers are not installed.
func (p profilePart) finding(ctx context.Context, e doctor.Exam, users map[string]*unstructured.Unstructured) (*doctor.Finding, error) {
	fix := &doctor.Fix{Title: "Restart the controllers that create " + p.name, Impact: doctor.RestartsPods}
	var commands []string
	for i, ref := range p.controllers {
		controller, err := workloads.Find(ctx, e, ref)
		if controller == nil || err != nil {
			return nil, err
		}
		if i == 0 {
			if on, err := p.isOn(ctx, e, controller); !on || err != nil {
				return nil, err
			}
		}
		fix.Changes = append(fix.Changes, doctor.RestartOf(controller))
		commands = append(commands, fmt.Sprintf("kubectl rollout restart -n %s %s %s", ref.Namespace, escape.Word(strings.ToLower(ref.Kind)), escape.Word(ref.Name)))
	}
	list, err := e.List(ctx, p.kind, p.in)
	if err != nil {
		return nil, err
	}
	there := map[string]bool{}
	for _, o := range list {
		there[o.GetNamespace()] = there[o.GetNamespace()] || o.GetName() == p.name
	}
	var without []string
	for name := range users {
		if !there[name] {
			without = append(without, name)
		}
	}
	if len(without) == 0 {
		return nil, nil
	}
	slices.Sort(without)
	return &doctor.Finding{
		Severity:    doctor.Warning,
		About:       doctor.Subject{Ref: cluster.Ref{APIVersion: "v1", Kind: kube.NamespaceKind.Kind, Name: without[0]}},
		Message:     fmt.Sprintf("%s %s is missing in %s: %s", p.kind.Kind, p.name, text.Plural(len(without), "profile namespace"), text.Names(without, text.Most, func(s string) string { return s })),
		Consequence: p.consequence,
		ExplainedBy: profilesID,
		Command:     strings.Join(commands, "\n"),
		Fix:         fix,
	}, nil
}
