package installation

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var Drift = &doctor.Check{
	ID:    "installation/drift",
	Title: "No installed field was changed by another client",
	Why: "A removed label of a namespace, an image or a number of replicas set by hand explains much that worked after the install. " +
		"The API server notes who set each field: what install set and another client has changed or removed since is drift. Fields that others " +
		"add, and what Kubernetes, doctor and expose set, are not.",
	FixNote: "--fix scales a workload back to the replicas that were installed. Other fields may have been changed on purpose: the finding has the command that applies the " +
		"component again.",
	Sources: []string{"https://kubernetes.io/docs/reference/using-api/server-side-apply/"},
	Reads:   slices.Concat(inspected, []schema.GroupKind{kube.DeploymentKind, kube.StatefulSetKind}),
	Writes:  workloads.Scaled,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		found, err := inspect(ctx, e)
		if err != nil {
			return nil, err
		}
		if !found.Recorded {
			return nil, doctor.Skip("no install of this program recorded what belongs to it")
		}
		var findings []doctor.Finding
		for _, configured := range []bool{false, true} {
			for _, part := range byComponent(found.Objects, func(o doctor.Inspected) bool {
				return len(o.Drift) > 0 && configuration(o.Ref) == configured && !(o.State == "failing" && onlyReplicas(o))
			}) {
				f, err := driftFinding(ctx, e, found, part)
				if err != nil {
					return nil, err
				}
				findings = append(findings, f)
			}
		}
		return findings, nil
	},
}

// configuration reports whether users are meant to change an object.
func configuration(ref cluster.Ref) bool {
	return ref.GroupKind() == kube.ConfigMapKind || ref.GroupKind() == kube.SecretKind
}

// onlyReplicas reports whether nothing but the number of replicas was changed.
func onlyReplicas(o doctor.Inspected) bool {
	return !slices.ContainsFunc(o.Drift, func(field string) bool { return !strings.HasPrefix(field, "spec.replicas:") })
}

func driftFinding(ctx context.Context, e doctor.Exam, found *doctor.Inspection, part []doctor.Inspected) (doctor.Finding, error) {
	f := doctor.Finding{
		Severity:    doctor.Warning,
		About:       doctor.Subject{Ref: part[0].Ref},
		Message:     fmt.Sprintf("%s of component %s changed since the install: %s", text.Plural(len(part), "object"), part[0].Component, names(part)),
		Consequence: "It may not work as the release was tested, and the next install reverts it.",
		Cause:       "Changed: " + text.Names(part, text.Most, func(o doctor.Inspected) string { return o.Ref.String() + " " + text.List(o.Drift, text.Most) }) + ".",
		Advice:      "Unless the change is intended, apply the component again.",
		Command:     installCommand(found, part[0].Component),
		Affects:     refs(part),
	}
	if configuration(part[0].Ref) {
		f.Severity, f.Consequence = doctor.Info, "The next install reverts it, unless it is among what install keeps."
	}
	var changes []cluster.Change
	for _, o := range part {
		if o.Replicas == 0 || !slices.ContainsFunc(o.Drift, func(field string) bool { return strings.HasPrefix(field, "spec.replicas:") }) || o.State == "failing" {
			continue
		}
		live, err := workloads.Find(ctx, e, o.Ref)
		if err != nil {
			return f, err
		}
		if live != nil && workloads.MayScale(live) {
			changes = append(changes, workloads.ScaleTo(live, o.Replicas))
		}
	}
	if len(changes) > 0 {
		f.Fix = &doctor.Fix{Title: "Scale " + text.Names(changes, text.Most, func(c cluster.Change) string { return c.Ref().String() }) + " back to the installed replicas", Impact: doctor.Safe, Changes: changes}
	}
	return f, nil
}
