package tenancy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

// reconcileTime is how long the profile controllers may take to reconcile a Profile.
const reconcileTime = 5 * time.Minute

const profilesID = "tenancy/profiles"

var profilesRef = cluster.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: workloads.Namespace, Name: "profiles-deployment"}

var Profiles = &doctor.Check{
	ID:    profilesID,
	Title: "Every Profile has a namespace with the expected labels",
	Why: "A Profile represents a user; Kubeflow's profile controller creates its namespace and labels it. Without the namespace the " +
		"dashboard has nothing to show to the user. Without the labels the namespace gets no sidecars, and Pipelines, Katib and KServe " +
		"ignore it.",
	FixNote: "--fix (with --allow-restart) restarts the profile controller, which reconciles every Profile on startup. A label with a different " +
		"value is left unchanged.",
	Reads:  []schema.GroupKind{kube.ProfileKind, kube.NamespaceKind, kube.ConfigMapKind, kube.DeploymentKind},
	Writes: []doctor.Write{{Kind: kube.DeploymentKind, In: []string{workloads.Namespace}, Names: []string{profilesRef.Name}, Restart: true}},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		list, err := e.List(ctx, kube.ProfileKind, cluster.Scope{})
		if err != nil {
			return nil, err
		}
		controller, err := e.Get(ctx, profilesRef)
		if apierrors.IsNotFound(err) {
			return nil, doctor.Skip("the profile controller is not installed")
		}
		if err != nil {
			return nil, err
		}
		if controller.GetUID() == "" {
			return nil, doctor.Skip("the profile controller is not on a cluster yet")
		}
		if len(list) == 0 {
			return []doctor.Finding{noProfileFinding()}, nil
		}
		namespaces, err := e.List(ctx, kube.NamespaceKind, cluster.Scope{})
		if err != nil {
			return nil, err
		}
		expected, err := profileLabels(ctx, e)
		if err != nil {
			return nil, err
		}
		now, err := e.Now(ctx)
		if err != nil {
			return nil, err
		}
		named := map[string]*unstructured.Unstructured{}
		for _, ns := range namespaces {
			named[ns.GetName()] = ns
		}
		p := profileProblems{controller: controller}
		for _, profile := range list {
			if age := now.Sub(profile.GetCreationTimestamp().Time); age < reconcileTime || profile.GetDeletionTimestamp() != nil {
				continue
			}
			ns := named[profile.GetName()]
			if ns == nil {
				p.withoutNamespace = append(p.withoutNamespace, profile)
			} else if missing := missingLabels(ns, expected); len(missing) > 0 {
				p.unlabelled, p.missing = append(p.unlabelled, ns), append(p.missing, missing...)
			}
		}
		return p.findings(), nil
	},
}

// The texts of the findings.
const (
	noProfileMessage   = "no Profile exists yet"
	noProfileImpact    = "The dashboard has no namespace to show, and users cannot start anything."
	noProfileAdvice    = "Kubeflow 1.2 creates one on first sign-in; from 1.3 on create a Profile for each user, with the signed-in user as spec.owner."
	noNamespaceMessage = "namespace missing for %s: %s"
	noNamespaceImpact  = "The dashboard has nothing to show to its user."
	noLabelsMessage    = "labels missing on %s: %s (%s)"
	noLabelsImpact     = "Sidecar injection, Pipelines or metrics skip these namespaces."
	reconcileFix       = "Restart the profile controller"
)

func noProfileFinding() doctor.Finding {
	return doctor.Finding{
		Severity:    doctor.Info,
		About:       doctor.Subject{Ref: cluster.Ref{APIVersion: "kubeflow.org/v1", Kind: kube.ProfileKind.Kind, Name: "NAME"}},
		Message:     noProfileMessage,
		Consequence: noProfileImpact,
		Advice:      noProfileAdvice,
	}
}

// profileProblems are the Profiles that are still incomplete after reconcileTime.
type profileProblems struct {
	controller                   *unstructured.Unstructured
	withoutNamespace, unlabelled []*unstructured.Unstructured
	missing                      []string
}

func (p profileProblems) findings() []doctor.Finding {
	fix := &doctor.Fix{Title: reconcileFix, Impact: doctor.RestartsPods, Changes: []cluster.Change{doctor.RestartOf(p.controller)}}
	command := "kubectl rollout restart -n " + workloads.Namespace + " deployment " + escape.Word(p.controller.GetName())
	var findings []doctor.Finding
	if n := len(p.withoutNamespace); n > 0 {
		findings = append(findings, doctor.Finding{
			Severity:    doctor.Error,
			About:       doctor.Subject{Ref: cluster.RefOf(p.withoutNamespace[0])},
			Message:     fmt.Sprintf(noNamespaceMessage, text.Plural(n, "Profile"), text.Names(p.withoutNamespace, text.Most, (*unstructured.Unstructured).GetName)),
			Consequence: noNamespaceImpact,
			Command:     command, Fix: fix,
		})
	}
	if n := len(p.unlabelled); n > 0 {
		slices.Sort(p.missing)
		findings = append(findings, doctor.Finding{
			Severity:    doctor.Warning,
			About:       doctor.Subject{Ref: cluster.RefOf(p.unlabelled[0]), Field: "metadata.labels"},
			Message:     fmt.Sprintf(noLabelsMessage, text.Plural(n, "profile namespace"), text.Names(p.unlabelled, text.Most, (*unstructured.Unstructured).GetName), strings.Join(slices.Compact(p.missing), ", ")),
			Consequence: noLabelsImpact,
			Command:     command, Fix: fix,
		})
	}
	return findings
}

// profileLabels returns the labels that this release's profile controller sets on namespaces, from its ConfigMap.
func profileLabels(ctx context.Context, e doctor.Exam) (map[string]string, error) {
	maps, err := e.List(ctx, kube.ConfigMapKind, cluster.Scope{Namespace: workloads.Namespace})
	if err != nil {
		return nil, err
	}
	labels := map[string]string{"istio-injection": "enabled"}
	for _, m := range maps {
		for _, key := range []string{"namespace-labels.yaml", "namespace-labels"} {
			var more map[string]string
			if bounded.Unmarshal(kube.Text(m.Object, "data", key), &more) == nil {
				for label, value := range more {
					labels[label] = value
				}
			}
		}
	}
	return labels, nil
}

// missingLabels returns the labels that a namespace does not have; another value counts as intended.
func missingLabels(ns *unstructured.Unstructured, expected map[string]string) []string {
	var missing []string
	for label, value := range expected {
		_, there := ns.GetLabels()[label]
		_, revision := ns.GetLabels()["istio.io/rev"]
		if !there && value != "" && !(label == "istio-injection" && revision) {
			missing = append(missing, label)
		}
	}
	return missing
}
