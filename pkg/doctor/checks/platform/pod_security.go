package platform

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/pod-security-admission/api"
	podsecurity "k8s.io/pod-security-admission/policy"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var PodSecurity = &doctor.Check{
	ID:    "platform/pod-security",
	Title: "Pod Security levels admit Kubeflow's pods",
	Why: "The namespace label pod-security.kubernetes.io/enforce makes the API server reject pods that exceed the level baseline or " +
		"restricted. The workload exists, but its pods are never created. Newer Kubeflow releases, AKS Automatic or cluster administrators " +
		"set this label.",
	FixNote:   "No automatic fix: the namespace's owner decides whether to lower the level. The finding gives the command.",
	Sources:   []string{"kubeflow/manifests#3015", "https://kubernetes.io/docs/concepts/security/pod-security-standards/"},
	Reads:     []schema.GroupKind{kube.NamespaceKind, kube.DeploymentKind, kube.StatefulSetKind, kube.DaemonSetKind, kube.JobKind, kube.EventKind},
	Preflight: true,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		namespaces, err := e.List(ctx, kube.NamespaceKind, cluster.Scope{})
		if err != nil {
			return nil, err
		}
		rules, err := podSecurityRules(ctx, e)
		if err != nil {
			return nil, err
		}
		if e.Install == nil {
			workloads.KubeflowAhead(ctx, e, podSecurityKinds...)
			cluster.Ahead(ctx, e, cluster.Question{Kind: kube.EventKind, In: rejections})
		}
		var findings []doctor.Finding
		for _, ns := range namespaces {
			workloads, err := workloadsIn(ctx, e, ns)
			if err != nil {
				return nil, err
			}
			f, found, err := admissionFinding(ns, rules, workloads)
			if err != nil {
				return nil, err
			}
			if found {
				findings = append(findings, f)
			}
		}
		refusals, err := rejectedByEvents(ctx, e)
		return append(findings, refusals...), err
	},
}

// The texts of the findings.
const (
	rejectedMessage = "Namespace %s rejects the pods of %s %s"
	rejectedImpact  = "Its pods are never created."
	rejectedCause   = "They exceed the namespace's level: %s"
	rejectedAdvice  = "Reduce what the pods require, or lower the namespace's level, if that is your decision."
	enforcedMessage = "Namespace %s enforces the level %s, which rejects the pods of %s: %s"
	enforcedImpact  = "Their pods are never created."
	enforcedAdvice  = "Lower the namespace's level, if that is your decision."
)

// rejectedByEvents reports pods that were rejected in profile namespaces, whose workloads are the users' own.
func rejectedByEvents(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
	users, err := workloads.ProfileNamespaces(ctx, e)
	if err != nil || e.Install != nil || len(users) == 0 {
		return nil, err
	}
	events, err := e.List(ctx, kube.EventKind, rejections)
	if err != nil {
		return nil, err
	}
	var findings []doctor.Finding
	reported := map[string]bool{}
	for _, event := range events {
		ns, message := users[event.GetNamespace()], kube.Text(event.Object, "message")
		_, why, refused := strings.Cut(message, "violates PodSecurity ")
		if ns == nil || !refused || reported[ns.GetName()] {
			continue
		}
		reported[ns.GetName()] = true
		findings = append(findings, doctor.Finding{
			Severity:    doctor.Error,
			About:       doctor.Subject{Ref: cluster.RefOf(ns), Field: "metadata.labels"},
			Message:     fmt.Sprintf(rejectedMessage, ns.GetName(), kube.Text(event.Object, "involvedObject", "kind"), kube.Text(event.Object, "involvedObject", "name")),
			Consequence: rejectedImpact,
			Cause:       fmt.Sprintf(rejectedCause, why),
			Advice:      rejectedAdvice,
			Command:     fmt.Sprintf("kubectl label namespace %s %s=privileged --overwrite", escape.Word(ns.GetName()), enforceLabel),
		})
	}
	return findings, nil
}

var (
	podSecurityKinds = []schema.GroupKind{kube.DeploymentKind, kube.StatefulSetKind, kube.DaemonSetKind, kube.JobKind}
	rejections       = cluster.Scope{Fields: "reason=FailedCreate,type=Warning"} // events
)

const enforceLabel = api.EnforceLevelLabel

// workloadsIn returns the workloads that an install applies to a namespace; without an install, the existing ones.
func workloadsIn(ctx context.Context, e doctor.Exam, ns *unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	var list []*unstructured.Unstructured
	if e.Install != nil {
		for _, o := range e.Install.Objects {
			if o.GetNamespace() == ns.GetName() && workloads.IsWorkload(o.GroupVersionKind().GroupKind()) {
				list = append(list, o)
			}
		}
		return list, nil
	}
	if !workloads.IsSystem(ns.GetName()) {
		return nil, nil
	}
	for _, kind := range podSecurityKinds {
		there, err := e.List(ctx, kind, cluster.Scope{Namespace: ns.GetName()})
		if err != nil {
			return nil, err
		}
		list = append(list, there...)
	}
	return list, nil
}

func admissionFinding(ns *unstructured.Unstructured, rules podsecurity.Evaluator, workloads []*unstructured.Unstructured) (doctor.Finding, bool, error) {
	latest := api.LevelVersion{Level: api.LevelPrivileged, Version: api.LatestVersion()}
	levels, _ := api.PolicyToEvaluate(ns.GetLabels(), api.Policy{Enforce: latest}) // an invalid level counts as restricted, as in the API server
	enough := api.LevelVersion{Level: api.LevelBaseline, Version: levels.Enforce.Version}
	var refused []*unstructured.Unstructured
	var why []string
	for _, w := range workloads {
		reasons, err := violations(rules, levels.Enforce, w)
		if err != nil {
			return doctor.Finding{}, false, err
		}
		if len(reasons) == 0 {
			continue
		}
		refused, why = append(refused, w), append(why, reasons...)
		beyond, err := violations(rules, enough, w)
		if err != nil {
			return doctor.Finding{}, false, err
		}
		if len(beyond) > 0 {
			enough.Level = api.LevelPrivileged
		}
	}
	if len(refused) == 0 {
		return doctor.Finding{}, false, nil
	}
	slices.Sort(why)
	return doctor.Finding{
		Severity: doctor.Error,
		About:    doctor.Subject{Ref: cluster.RefOf(ns), Field: "metadata.labels"},
		Message: fmt.Sprintf(enforcedMessage, ns.GetName(), levels.Enforce.Level,
			text.Names(refused, text.Most, (*unstructured.Unstructured).GetName), strings.Join(slices.Compact(why), ", ")),
		Consequence: enforcedImpact,
		Advice:      enforcedAdvice,
		Command:     fmt.Sprintf("kubectl label namespace %s %s=%s --overwrite", escape.Word(ns.GetName()), enforceLabel, escape.Word(string(enough.Level))),
	}, true, nil
}
