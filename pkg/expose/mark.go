package expose

import (
	"context"
	"maps"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
)

// Made is what expose made, and what it changed on objects that are not its own.
type Made struct {
	Objects []*unstructured.Unstructured // in the order in which they go: Services first, so that the address goes before all that makes it safe
	Edited  []*unstructured.Unstructured
	readers []*unstructured.Unstructured // the workloads that read the edited settings
}

// Nothing tells whether there is nothing to take back.
func (m Made) Nothing() bool { return len(m.Objects)+len(m.Edited) == 0 }

func madeByExpose(o *unstructured.Unstructured) bool {
	return labels.SelectorFromSet(dashboard.Marks).Matches(labels.Set(o.GetLabels()))
}

func deleting(o *unstructured.Unstructured) bool { return o.GetDeletionTimestamp() != nil }

// The kinds that expose makes, in the order in which they go, and those that it changes.
var (
	madeKinds   = []schema.GroupKind{kube.ServiceKind, certificates, issuers, kube.NetworkPolicyKind}
	editedKinds = []schema.GroupKind{dashboard.IstioGatewayKind, dashboard.AuthorizationPolicyKind, dashboard.RequestAuthenticationKind, kube.ConfigMapKind}
)

// LookMade returns what expose made, in any namespace and also where no gateway is left.
func LookMade(ctx context.Context, view cluster.View) (Made, error) {
	var m Made
	objects, err := listAll(ctx, view, madeKinds, cluster.Scope{Labels: labels.FormatLabels(maps.Clone(dashboard.Marks))})
	if err != nil {
		return m, err
	}
	if m.Edited, err = listAll(ctx, view, editedKinds, cluster.Scope{Labels: editedLabel + "=expose"}); err != nil {
		return m, err
	}
	secrets, err := lookIssued(ctx, view, objects)
	if err != nil {
		return m, err
	}
	// After the Certificates: cert-manager would make their Secrets again.
	rules := slices.IndexFunc(objects, func(o *unstructured.Unstructured) bool { return o.GetKind() == kube.NetworkPolicyKind.Kind })
	if rules < 0 {
		rules = len(objects)
	}
	m.Objects = slices.Insert(objects, rules, secrets...)
	m.readers = lookReaders(ctx, view, m.Edited)
	return m, nil
}

// listAll lists several kinds side by side, and returns them in the order of the kinds. One that the server does not have is empty.
func listAll(ctx context.Context, view cluster.View, kinds []schema.GroupKind, in cluster.Scope) ([]*unstructured.Unstructured, error) {
	lists, errs := make([][]*unstructured.Unstructured, len(kinds)), make([]error, len(kinds))
	var asking sync.WaitGroup
	for i, kind := range kinds {
		asking.Go(func() { lists[i], errs[i] = optional(view.List(ctx, kind, in)) })
	}
	asking.Wait()
	for i, err := range errs {
		if err != nil && (kinds[i] == kube.ServiceKind || !apierrors.IsForbidden(err)) {
			return nil, err
		}
	}
	return slices.Concat(lists...), nil
}

// issuedNames are the Secrets that cert-manager makes for expose. It leaves them where they are when their Certificate goes.
var issuedNames = []string{DashboardCertificate, rootName, letsEncryptIssuer, mountedSecret}

// lookIssued returns the Secrets of expose's Certificates, also of those that are gone. Their contents are not asked for.
func lookIssued(ctx context.Context, view cluster.View, objects []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	namespaces := []string{"istio-system"}
	for _, o := range objects {
		if !slices.Contains(namespaces, o.GetNamespace()) {
			namespaces = append(namespaces, o.GetNamespace())
		}
	}
	var issued []*unstructured.Unstructured
	for _, namespace := range namespaces {
		some, err := view.List(ctx, kube.SecretKind, cluster.Scope{Namespace: namespace, Metadata: true})
		if apierrors.IsForbidden(err) {
			continue // who may not see them could not remove them
		}
		if err != nil {
			return nil, err
		}
		for _, s := range some {
			of := s.GetAnnotations()["cert-manager.io/certificate-name"]
			ours := of == DashboardCertificate || of == rootName || s.GetName() == letsEncryptIssuer
			if ours && slices.Contains(issuedNames, s.GetName()) {
				s.SetAPIVersion("v1")
				s.SetKind("Secret")
				issued = append(issued, s)
			}
		}
	}
	return issued, nil
}
