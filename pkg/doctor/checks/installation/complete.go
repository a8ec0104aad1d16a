package installation

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var Complete = &doctor.Check{
	ID:    doctor.InstallationID,
	Title: "Everything that was installed exists and is ready",
	Why: "An install that was interrupted, or a deleted object, leaves a Kubeflow that works in part: a missing Service or ServiceAccount " +
		"shows only when something needs it. install records what it applies, and this check compares the record with the cluster.",
	FixNote: "No automatic fix: an install applies what is missing, and needs the archive of the release. The finding has its command.",
	Reads:   inspected,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		found, err := inspect(ctx, e)
		if err != nil {
			return nil, err
		}
		if found.Absent {
			return []doctor.Finding{absentFinding()}, nil
		}
		if !found.Recorded && !slices.ContainsFunc(found.Objects, unready) {
			return nil, doctor.Skip("no install of this program recorded what belongs to it")
		}
		var findings []doctor.Finding
		if found.Interrupted > 0 {
			findings = append(findings, interruptedFinding(found))
		}
		return slices.Concat(findings, missingFindings(found), unreadyFindings(found)), nil
	},
}

// inspected are the kinds by which an installation is recognised. Those of its objects are whatever was installed, and need their own permission.
var inspected = []schema.GroupKind{kube.ConfigMapKind, kube.NamespaceKind}

// inspect returns what is known of the installation. It is nothing of manifests, of which nothing is installed yet.
func inspect(ctx context.Context, e doctor.Exam) (*doctor.Inspection, error) {
	if e.Inspect == nil {
		return nil, doctor.Skip("what was installed is known only on a cluster")
	}
	return e.Inspect(ctx, e.View)
}

func absentFinding() doctor.Finding {
	return doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.Ref{APIVersion: "v1", Kind: "Namespace", Name: workloads.Namespace}},
		Message:     doctor.NoKubeflow,
		Consequence: "The other checks judge only what every cluster has.",
		Advice:      "Install it, or select another cluster with --context.",
		Command:     "kubectl kubeflow install",
	}
}

func interruptedFinding(found *doctor.Inspection) doctor.Finding {
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.Ref{APIVersion: "v1", Kind: "Namespace", Name: workloads.Namespace}},
		Message:     fmt.Sprintf("the install was interrupted: %s not applied", text.Plural(found.Interrupted, "object")),
		Consequence: "Components are missing, or are of two versions.",
		Advice:      "Resume it.",
		Command:     installCommand(found, ""),
	}
	for _, o := range found.Objects {
		if notApplied(o) {
			f.Affects = append(f.Affects, o.Ref)
		}
	}
	return f
}

// notApplied reports whether an object is missing because the install was interrupted: that is one finding.
func notApplied(o doctor.Inspected) bool {
	return o.State == "missing" && strings.HasPrefix(o.Why, "not applied yet")
}

// installCommand returns the command that applies a component again, or everything.
func installCommand(found *doctor.Inspection, component string) string {
	command := "kubectl kubeflow install"
	if found.Release != "" {
		command += " --release " + escape.Word(found.Release)
	}
	if component != "" {
		command += " --component " + escape.Word(component)
	}
	return command
}

// guards are the kinds of objects that refuse requests, or have them authenticated.
var guards = map[string]string{
	"AuthorizationPolicy": "security.istio.io", "RequestAuthentication": "security.istio.io", "PeerAuthentication": "security.istio.io", "EnvoyFilter": "networking.istio.io",
	"NetworkPolicy": "networking.k8s.io", "ValidatingAdmissionPolicyBinding": "admissionregistration.k8s.io",
}

// withoutThem is what comes of missing objects.
func withoutThem(missing []doctor.Inspected) string {
	for _, o := range missing {
		if group, ok := guards[o.Ref.Kind]; ok && strings.HasPrefix(o.Ref.APIVersion, group+"/") {
			return "What needs them does not work, and requests that they refuse or have authenticated may pass: the dashboard may open without login."
		}
	}
	return "What needs them does not work."
}

// missingFindings returns one finding for each component of which an object is missing.
func missingFindings(found *doctor.Inspection) []doctor.Finding {
	var findings []doctor.Finding
	for _, part := range byComponent(found.Objects, func(o doctor.Inspected) bool { return o.State == "missing" && !notApplied(o) }) {
		f := doctor.Finding{
			Severity:    doctor.Error,
			About:       doctor.Subject{Ref: part[0].Ref},
			Message:     fmt.Sprintf("%s of component %s missing: %s", text.Plural(len(part), "object"), part[0].Component, names(part)),
			Consequence: withoutThem(part),
			Cause:       workloads.Sentence(part[0].Why),
			Advice:      "Apply the component again.",
			Command:     installCommand(found, part[0].Component),
			Affects:     refs(part),
		}
		findings = append(findings, f)
	}
	return findings
}

// unreadyFindings returns a finding for each object that runs no pods and is not ready: those that do are workloads/available's.
func unreadyFindings(found *doctor.Inspection) []doctor.Finding {
	var findings []doctor.Finding
	for _, o := range found.Objects {
		if !unready(o) || workloads.IsWorkload(o.GroupKind()) {
			continue
		}
		f := doctor.Finding{
			Severity:    doctor.Warning,
			About:       doctor.Subject{Ref: o.Ref, Field: "status"},
			Message:     fmt.Sprintf("%s is not ready: %s", o.Ref, o.Why),
			Consequence: "What needs it waits.",
			Advice:      "The events of the object, and the log of its controller, show the reason.",
			Command:     describe(o.Ref),
			Needs:       []cluster.Ref{o.Ref},
			PerhapsBy:   causesOf[o.Kind],
		}
		if found.AtWork {
			f.Severity = doctor.Info
		}
		findings = append(findings, f)
	}
	return findings
}

// causesOf are the checks that know why an object of a kind is not ready.
var causesOf = map[string][]string{
	"PersistentVolumeClaim": {"storage/default-class", "storage/claims"}, "Service": {"exposure/load-balancer"},
	"Certificate": {"certificates/cert-manager"}, "APIService": {"workloads/available"},
}

func unready(o doctor.Inspected) bool { return o.State == "progressing" || o.State == "failing" }

func describe(ref cluster.Ref) string {
	if ref.Namespace == "" {
		return "kubectl describe " + escape.Words(ref.Kind, ref.Name)
	}
	return "kubectl describe -n " + escape.Words(ref.Namespace, ref.Kind, ref.Name)
}

// byComponent returns the chosen objects in groups of one component, in the order of the components' names.
func byComponent(all []doctor.Inspected, choose func(doctor.Inspected) bool) [][]doctor.Inspected {
	chosen := slices.DeleteFunc(slices.Clone(all), func(o doctor.Inspected) bool { return !choose(o) })
	slices.SortStableFunc(chosen, func(a, b doctor.Inspected) int { return cmp.Compare(a.Component, b.Component) })
	var groups [][]doctor.Inspected
	for group := range slices.Values(chosen) {
		if n := len(groups); n > 0 && groups[n-1][0].Component == group.Component {
			groups[n-1] = append(groups[n-1], group)
		} else {
			groups = append(groups, []doctor.Inspected{group})
		}
	}
	return groups
}

func names(list []doctor.Inspected) string {
	return text.Names(list, text.Most, func(o doctor.Inspected) string { return o.Ref.String() })
}

// refs returns the objects after the first, which the finding is about.
func refs(list []doctor.Inspected) []cluster.Ref {
	var out []cluster.Ref
	for _, o := range list[1:] {
		out = append(out, o.Ref)
	}
	return out
}
