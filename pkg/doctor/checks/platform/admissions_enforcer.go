package platform

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/mesh"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/webhooks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var AdmissionsEnforcer = &doctor.Check{
	ID:    "platform/admissions-enforcer",
	Title: "Webhooks select the intended namespaces",
	Why: "Every release labels namespace kubeflow with control-plane. The AKS admissions enforcer adds \"control-plane does not exist\" to " +
		"the selector of webhooks, so they skip that namespace: pods are created without a sidecar, and clients that use mutual TLS get " +
		"\"upstream connect error\". Newer AKS versions relax the rule; this check reads the actual selectors.",
	FixNote: "--fix sets the annotation admissions.enforcer/disabled=true on the webhook configuration and removes the added expression. For " +
		"the sidecar injector it then restarts the workloads whose pods have no sidecar, so it needs --allow-restart.",
	Sources: []string{"Azure/kubeflow-aks#18", "kubeflow/pipelines#5244", "Azure/AKS#1771", "Azure/AKS#4002", "kubeflow/kubeflow#5277"},
	Reads:   []schema.GroupKind{kube.MutatingWebhookConfigurationKind, kube.ValidatingWebhookConfigurationKind, kube.NamespaceKind, kube.NodeKind, kube.ServiceKind, kube.PodKind, kube.ReplicaSetKind, kube.DeploymentKind, kube.StatefulSetKind, kube.DaemonSetKind},
	Writes: slices.Concat([]doctor.Write{
		{Kind: kube.MutatingWebhookConfigurationKind, Fields: enforcerFields, Edit: disableEnforcer},
		{Kind: kube.ValidatingWebhookConfigurationKind, Fields: enforcerFields, Edit: disableEnforcer},
	}, workloads.Restarted()),
	Run: runAdmissionsEnforcer,
}

// The texts of the findings.
const (
	skippedMessage      = "%s skips %s"
	skippedImpact       = "Objects there are neither validated nor mutated by it."
	skippedCause        = "The label control-plane is set on %s, and the AKS admissions enforcer added \"control-plane does not exist\" to the webhook's selector."
	maySkipMessage      = "%s may skip %s"
	maySkipCause        = "The label control-plane is set on %s, and AKS before September 2023 adds \"control-plane does not exist\" to the webhook's selector."
	ownSelectorCause    = "The label control-plane is set on %s, and the webhook's selector requires namespaces without it."
	injectorImpact      = "Pods there are created without a sidecar: clients that use mutual TLS get \"upstream connect error\"."
	meshDisabledAdvice  = "Left unchanged, because --mesh=disable opts for no sidecars."
	noServiceAdvice     = "Restore its Service first: a webhook without endpoints should not select any namespace."
	selectFix           = "Make webhook %s select %s"
	selectAndRestartFix = "%s and restart %s"
)

func runAdmissionsEnforcer(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
	namespaces, err := e.List(ctx, kube.NamespaceKind, cluster.Scope{})
	if err != nil {
		return nil, err
	}
	labelled := slices.DeleteFunc(slices.Clone(namespaces), func(ns *unstructured.Unstructured) bool {
		_, found := ns.GetLabels()[webhooks.ControlPlaneLabel]
		return !found || !workloads.IsKubeflow(ns) || ns.GetLabels()[webhooks.ControlPlaneLabel] == "true" // AKS's own namespaces, which no webhook should select
	})
	if len(labelled) == 0 {
		return nil, nil
	}
	nodes, err := e.List(ctx, kube.NodeKind, cluster.NodeScope)
	if err != nil {
		return nil, err
	}
	aks := slices.ContainsFunc(nodes, doctor.IsAKS)
	var findings []doctor.Finding
	for _, kind := range []schema.GroupKind{kube.MutatingWebhookConfigurationKind, kube.ValidatingWebhookConfigurationKind} {
		configurations, err := e.List(ctx, kind, cluster.Scope{})
		if err != nil {
			return nil, err
		}
		for _, c := range configurations {
			k, err := findExclusion(c, labelled, aks)
			if err != nil {
				return nil, err
			}
			if len(k.namespaces) == 0 {
				continue
			}
			f, err := k.finding(ctx, e)
			if err != nil {
				return nil, err
			}
			findings = append(findings, f)
		}
	}
	return findings, nil
}

// An exclusion is a webhook configuration that skips namespaces, or will once AKS sees it.
type exclusion struct {
	configuration *unstructured.Unstructured
	namespaces    []*unstructured.Unstructured
	webhook       int  // index of the first webhook that skips them
	injector      bool // the sidecar injector
	expected      bool // not on a cluster yet
	aks           bool
}

// findExclusion returns which of the labelled namespaces a configuration's webhooks skip.
func findExclusion(configuration *unstructured.Unstructured, labelled []*unstructured.Unstructured, aks bool) (exclusion, error) {
	x := exclusion{configuration: configuration, webhook: -1, aks: aks}
	fresh := configuration.GetUID() == "" // no server has seen it yet
	for i, webhook := range kube.Items(configuration.Object, "webhooks") {
		threatened := fresh && aks && configuration.GetAnnotations()[webhooks.EnforcerAnnotation] == ""
		if webhooks.ShipsExpression(webhook) || !servedByKubeflow(webhook) || !webhooks.HasEnforcerExpression(webhook) && !threatened {
			continue
		}
		for _, ns := range labelled {
			meant, err := webhooks.Selects(webhook, ns, true)
			if err != nil {
				return x, err
			}
			if !meant {
				continue
			}
			if x.webhook < 0 {
				x.webhook = i
			}
			x.injector = x.injector || webhooks.IsSidecarInjector(webhook)
			x.expected = !webhooks.HasEnforcerExpression(webhook)
			if !slices.Contains(x.namespaces, ns) {
				x.namespaces = append(x.namespaces, ns)
			}
		}
	}
	return x, nil
}

func servedByKubeflow(webhook map[string]any) bool {
	return slices.Contains(workloads.Namespaces, kube.Text(webhook, "clientConfig", "service", "namespace"))
}

func (x exclusion) finding(ctx context.Context, e doctor.Exam) (doctor.Finding, error) {
	where := x.namespaceList()
	ref := cluster.RefOf(x.configuration)
	f := doctor.Finding{
		Severity:    doctor.Warning,
		About:       doctor.Subject{Ref: ref, Field: fmt.Sprintf("webhooks[%d].namespaceSelector", x.webhook)},
		Message:     fmt.Sprintf(skippedMessage, kube.KindName(x.configuration), where),
		Consequence: skippedImpact,
		Cause:       fmt.Sprintf(skippedCause, where),
		Command:     fmt.Sprintf("kubectl annotate %s %s %s=true", escape.Word(strings.ToLower(ref.Kind)), escape.Word(ref.Name), webhooks.EnforcerAnnotation),
	}
	if x.expected {
		f.Message = fmt.Sprintf(maySkipMessage, kube.KindName(x.configuration), where)
		f.Cause = fmt.Sprintf(maySkipCause, where)
	} else if !x.aks {
		f.Cause = fmt.Sprintf(ownSelectorCause, where)
	}
	needed := x.injector || strings.HasPrefix(ref.Name, "cache-webhook")
	switch {
	case needed && x.expected:
		f.Severity = doctor.Warning
	case needed:
		f.Severity = doctor.Error
	case x.expected:
		f.Severity = doctor.Info
	}
	if x.injector {
		f.Consequence = injectorImpact
		if e.Mesh == mesh.OptionDisable {
			f.Advice = meshDisabledAdvice
			return f, nil
		}
	}
	if gone, err := x.serviceMissing(ctx, e); err != nil || gone {
		f.ExplainedBy, f.Command = webhooksID, ""
		f.Advice = noServiceAdvice
		return f, err
	}
	return f, x.offerFix(ctx, e, &f)
}

// serviceMissing reports whether the webhooks' Service is gone: if they selected the namespace, the API server would reject everything there.
func (x exclusion) serviceMissing(ctx context.Context, e doctor.Exam) (bool, error) {
	if x.expected || x.injector {
		return false, nil
	}
	w := kube.Items(x.configuration.Object, "webhooks")[x.webhook]
	service, err := webhooks.ServiceOf(ctx, e, w)
	return service == nil, err
}

// namespaceList returns the names of the skipped namespaces.
func (x exclusion) namespaceList() string {
	noun := "namespace "
	if len(x.namespaces) > 1 {
		noun = "namespaces "
	}
	return noun + text.Names(x.namespaces, text.Most, (*unstructured.Unstructured).GetName)
}

// offerFix makes the webhook select the namespaces, and restarts workloads whose pods have no sidecar.
func (x exclusion) offerFix(ctx context.Context, e doctor.Exam, f *doctor.Finding) error {
	f.Fix = &doctor.Fix{
		Title:   fmt.Sprintf(selectFix, x.configuration.GetName(), x.namespaceList()),
		Impact:  doctor.Safe,
		Changes: []cluster.Change{cluster.Edit(x.configuration, disableEnforcer)},
	}
	if !x.injector {
		return nil
	}
	for _, ns := range x.namespaces {
		b, err := mesh.FindMissingSidecars(ctx, e, ns)
		if err != nil {
			return err
		}
		if len(b.Workloads) > 0 {
			f.Fix.Impact = doctor.RestartsPods
			f.Fix.Probe = &doctor.Probe{Namespace: ns.GetName(), Container: mesh.ProxyContainer}
			f.Fix.Title = fmt.Sprintf(selectAndRestartFix, f.Fix.Title, text.Plural(len(b.Workloads), "workload"))
			f.Fix.Changes = append(f.Fix.Changes, b.Restarts()...)
			f.Command += fmt.Sprintf("\nkubectl rollout restart -n %s deployment,statefulset,daemonset", escape.Word(ns.GetName()))
		}
	}
	return nil
}

// enforcerFields are what disableEnforcer changes.
var enforcerFields = []string{"/metadata/annotations/admissions.enforcer~1disabled", "/webhooks/*/namespaceSelector"}

// disableEnforcer exempts a configuration from the admissions enforcer and removes its expression.
func disableEnforcer(configuration *unstructured.Unstructured) {
	annotations := configuration.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[webhooks.EnforcerAnnotation] = "true"
	configuration.SetAnnotations(annotations)
	items, _, _ := unstructured.NestedSlice(configuration.Object, "webhooks")
	for _, item := range items {
		webhook, ok := item.(map[string]any)
		if !ok || webhooks.ShipsExpression(webhook) || !webhooks.HasEnforcerExpression(webhook) {
			continue
		}
		selector, _ := webhook["namespaceSelector"].(map[string]any)
		webhook["namespaceSelector"] = webhooks.WithoutEnforcerExpression(selector)
	}
	_ = unstructured.SetNestedSlice(configuration.Object, items, "webhooks")
}
