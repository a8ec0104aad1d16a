package platform

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/version"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var Automatic = &doctor.Check{
	ID:    "platform/automatic",
	Title: "AKS Automatic admits Kubeflow's webhooks",
	Why: "AKS Automatic with managed system node pools rejects every MutatingWebhookConfiguration before Kubernetes 1.36, and from 1.36 those for " +
		"nodes, PersistentVolumes, CertificateSigningRequests and TokenReviews. Without them Kubeflow's pods get no sidecar, no PodDefaults, no " +
		"pipeline cache and no metrics collector of Katib.",
	FixNote:   "No automatic fix: upgrade the cluster to Kubernetes 1.36 or newer, or use a cluster of another SKU.",
	Sources:   []string{"https://learn.microsoft.com/azure/aks/automatic/aks-automatic-managed-system-node-pools-about"},
	Reads:     []schema.GroupKind{kube.NodeKind, policyKind},
	Preflight: true,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		if e.Install == nil {
			return nil, doctor.Skip("nothing is being installed")
		}
		about, certain, err := managedSystemPool(ctx, e)
		if err != nil {
			return nil, err
		}
		if about == nil {
			return nil, doctor.Skip("not AKS Automatic with managed system node pools")
		}
		every, err := olderThan136(ctx, e)
		if err != nil {
			return nil, err
		}
		rejected := rejectedWebhooks(e, every)
		if len(rejected) == 0 {
			return nil, nil
		}
		f := doctor.Finding{
			Severity: doctor.Error,
			About:    doctor.Subject{Ref: *about},
			Message: fmt.Sprintf("AKS Automatic with managed system node pools rejects %s of this install: %s", text.Plural(len(rejected), "MutatingWebhookConfiguration"),
				text.Names(rejected, text.Most, (*unstructured.Unstructured).GetName)),
			Consequence: "Kubeflow's pods get no sidecar, no PodDefaults, no pipeline cache and no metrics collector.",
			Cause:       "Before Kubernetes 1.36 it admits none that AKS does not manage.",
			Advice:      "Upgrade the cluster to Kubernetes 1.36 or newer, or install on a cluster of another SKU (az aks create --sku base).",
			Command:     "az aks upgrade --resource-group GROUP --name CLUSTER --kubernetes-version 1.36",
		}
		if !every {
			f.Consequence = "What depends on these webhooks does not work."
			f.Cause = "It admits no webhook for nodes, PersistentVolumes, CertificateSigningRequests and TokenReviews, nor for all resources."
			f.Advice, f.Command = "Leave out their components with --skip, or install on a cluster of another SKU (az aks create --sku base).", ""
		}
		if !certain {
			f.Severity = doctor.Warning
			f.Message = fmt.Sprintf("AKS Automatic may reject %s of this install: %s", text.Plural(len(rejected), "MutatingWebhookConfiguration"),
				text.Names(rejected, text.Most, (*unstructured.Unstructured).GetName))
		}
		return []doctor.Finding{f}, nil
	},
}

const (
	// hostedLabel is on the nodes that AKS itself runs, which also have a taint of this name.
	hostedLabel = "kubernetes.azure.com/hostedvm"
	// systemPolicy is AKS's own policy that closes the system namespaces of AKS Automatic.
	systemPolicy = "aks-managed-protect-system-namespaces"
)

var policyKind = schema.GroupKind{Group: "admissionregistration.k8s.io", Kind: "ValidatingAdmissionPolicy"}

// managedSystemPool returns the object that shows that AKS runs the system nodes itself; nil if none does. It is certain only if one of its nodes shows.
func managedSystemPool(ctx context.Context, e doctor.Exam) (about *cluster.Ref, certain bool, err error) {
	nodes, err := e.List(ctx, kube.NodeKind, cluster.Scope{})
	if err != nil {
		return nil, false, err
	}
	for _, n := range nodes {
		_, labelled := n.GetLabels()[hostedLabel]
		if labelled || slices.ContainsFunc(kube.Items(n.Object, "spec", "taints"), func(t map[string]any) bool { return kube.Text(t, "key") == hostedLabel }) {
			ref := cluster.RefOf(n)
			return &ref, true, nil
		}
	}
	list, err := workloads.ListIfKnown(ctx, e, policyKind, cluster.Scope{Fields: "metadata.name=" + systemPolicy})
	if err != nil || len(list) == 0 {
		return nil, false, err
	}
	ref := cluster.RefOf(list[0])
	return &ref, false, nil
}

// rejectedWebhooks returns the webhook configurations of an install that the cluster does not admit: every one, or those for what AKS runs.
func rejectedWebhooks(e doctor.Exam, every bool) []*unstructured.Unstructured {
	return slices.DeleteFunc(slices.Clone(e.Install.Objects), func(o *unstructured.Unstructured) bool {
		return o.GroupVersionKind().GroupKind() != kube.MutatingWebhookConfigurationKind || !every && !slices.ContainsFunc(kube.Items(o.Object, "webhooks"), interceptsPlatform)
	})
}

func olderThan136(ctx context.Context, e doctor.Exam) (bool, error) {
	server, err := e.Version(ctx)
	if errors.As(err, new(*cluster.ErrUnknowable)) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	v, err := version.ParseGeneric(server.GitVersion)
	return err == nil && v.LessThan(version.MustParseGeneric("1.36.0")), err
}

// platformResources are what no webhook of users may intercept, by API group.
var platformResources = map[string][]string{"": {"nodes", "persistentvolumes"}, "certificates.k8s.io": {"certificatesigningrequests"}, "authentication.k8s.io": {"tokenreviews"}}

// interceptsPlatform reports whether a webhook's rules match one of them, by name or by a wildcard.
func interceptsPlatform(webhook map[string]any) bool {
	return slices.ContainsFunc(kube.Items(webhook, "rules"), func(rule map[string]any) bool {
		groups, resources := kube.Texts(rule, "apiGroups"), kube.Texts(rule, "resources")
		for group, closed := range platformResources {
			if !slices.Contains(groups, group) && !slices.Contains(groups, "*") {
				continue
			}
			for _, r := range resources {
				r, _, _ = strings.Cut(r, "/")
				if r == "*" || slices.Contains(closed, r) {
					return true
				}
			}
		}
		return false
	})
}
