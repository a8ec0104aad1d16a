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
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/record"
)

// Inventory is what expose created, and what it changed on objects of other owners.
type Inventory struct {
	Objects   []*unstructured.Unstructured // in the order of their deletion: Services first, so that the address is removed before what protects it
	Edited    []*unstructured.Unstructured
	Foreign   []cluster.Ref                // what has the labels of expose, but is not known to be its
	consumers []*unstructured.Unstructured // the workloads that read the edited settings
}

// Empty reports whether there is nothing to remove or revert.
func (m Inventory) Empty() bool { return len(m.Objects)+len(m.Edited) == 0 }

// CreatedByExpose reports whether an object is one of those that expose creates, and was created by it.
func CreatedByExpose(o *unstructured.Unstructured) bool {
	return slices.Contains(createdNames[o.GetKind()], o.GetName()) && record.Created(o)
}

// createdNames are the names of what expose creates, by kind.
var createdNames = map[string][]string{
	kube.ServiceKind.Kind:       {dashboard.LoadBalancerName},
	CertificateKind.Kind:        {DashboardCertificate, RootName},
	IssuerKind.Kind:             {RootName, CAIssuer, LetsEncryptIssuer},
	kube.NetworkPolicyKind.Kind: {dashboard.AllowName},
}

// IsIssued reports whether an object is a Secret with the name of one that cert-manager creates for expose.
func IsIssued(o *unstructured.Unstructured) bool {
	return o.GetKind() == kube.SecretKind.Kind && slices.Contains(issuedNames, o.GetName())
}

func IsDeleting(o *unstructured.Unstructured) bool { return o.GetDeletionTimestamp() != nil }

// The kinds that expose creates, in the order of their deletion, and those that it changes.
var (
	createdKinds = []schema.GroupKind{kube.ServiceKind, CertificateKind, IssuerKind, kube.NetworkPolicyKind}
	editedKinds  = []schema.GroupKind{dashboard.IstioGatewayKind, dashboard.AuthorizationPolicyKind, dashboard.RequestAuthenticationKind, kube.ConfigMapKind}
)

// Ahead asks ahead for what [Read] reads.
func Ahead(ctx context.Context, view cluster.View) {
	dashboard.Ahead(ctx, view)
	created := cluster.Scope{Labels: labels.FormatLabels(maps.Clone(dashboard.ManagedLabels))}
	for _, kind := range createdKinds {
		cluster.Ahead(ctx, view, cluster.Question{Kind: kind, In: created})
	}
	for _, kind := range editedKinds {
		cluster.Ahead(ctx, view, cluster.Question{Kind: kind, In: cluster.Scope{Labels: record.Label + "=expose"}})
	}
	cluster.Ahead(ctx, view, cluster.Question{Kind: kube.SecretKind, In: cluster.Scope{Namespace: "istio-system", Metadata: true}})
}

// ReadInventory returns what expose created and changed, in any namespace, even without a gateway.
func ReadInventory(ctx context.Context, view cluster.View) (Inventory, error) {
	var m Inventory
	objects, err := listAll(ctx, view, createdKinds, cluster.Scope{Labels: labels.FormatLabels(maps.Clone(dashboard.ManagedLabels))})
	if err != nil {
		return m, err
	}
	objects, m.Foreign = apart(objects, CreatedByExpose)
	edited, err := listAll(ctx, view, editedKinds, cluster.Scope{Labels: record.Label + "=expose"})
	if err != nil {
		return m, err
	}
	edited, foreign := apart(edited, record.Edited)
	m.Edited, m.Foreign = edited, append(m.Foreign, foreign...)
	secrets, err := readIssued(ctx, view, objects)
	if err != nil {
		return m, err
	}
	// After the Certificates: cert-manager would recreate their Secrets.
	rules := slices.IndexFunc(objects, func(o *unstructured.Unstructured) bool { return o.GetKind() == kube.NetworkPolicyKind.Kind })
	if rules < 0 {
		rules = len(objects)
	}
	m.Objects = slices.Insert(objects, rules, secrets...)
	m.consumers = record.Consumers(ctx, view, m.Edited)
	return m, nil
}

// apart separates the objects of expose from those that only have its labels.
func apart(objects []*unstructured.Unstructured, ours func(*unstructured.Unstructured) bool) (own []*unstructured.Unstructured, foreign []cluster.Ref) {
	for _, o := range objects {
		if ours(o) {
			own = append(own, o)
		} else {
			foreign = append(foreign, cluster.RefOf(o))
		}
	}
	return own, foreign
}

// listAll lists several kinds in parallel, and returns them in the order of the kinds. One that the server does not have is empty.
func listAll(ctx context.Context, view cluster.View, kinds []schema.GroupKind, in cluster.Scope) ([]*unstructured.Unstructured, error) {
	lists, errs := make([][]*unstructured.Unstructured, len(kinds)), make([]error, len(kinds))
	var asking sync.WaitGroup
	for i, kind := range kinds {
		asking.Go(func() { lists[i], errs[i] = cluster.IgnoreNoMatch(view.List(ctx, kind, in)) })
	}
	asking.Wait()
	for i, err := range errs {
		if err != nil && (kinds[i] == kube.ServiceKind || !apierrors.IsForbidden(err)) {
			return nil, err
		}
	}
	return slices.Concat(lists...), nil
}

// issuedNames are the Secrets that cert-manager creates for expose. It keeps them when their Certificate is deleted.
var issuedNames = []string{DashboardCertificate, RootName, LetsEncryptIssuer, MountedSecret}

// readIssued returns the Secrets of expose's Certificates, even of deleted ones. Their contents are not read.
func readIssued(ctx context.Context, view cluster.View, objects []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
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
			continue // without permission to list them, there is none to delete them
		}
		if err != nil {
			return nil, err
		}
		for _, s := range some {
			of := s.GetAnnotations()["cert-manager.io/certificate-name"]
			ours := of == DashboardCertificate || of == RootName || s.GetName() == LetsEncryptIssuer
			if ours && slices.Contains(issuedNames, s.GetName()) {
				s = s.DeepCopy() // the View's own would change under whoever else asks for it
				s.SetAPIVersion("v1")
				s.SetKind("Secret")
				issued = append(issued, s)
			}
		}
	}
	return issued, nil
}

var (
	CertificateKind = schema.GroupKind{Group: "cert-manager.io", Kind: "Certificate"}
	IssuerKind      = schema.GroupKind{Group: "cert-manager.io", Kind: "Issuer"}
)

// DashboardCertificate is the name of the Certificate that expose creates, and of its Secret.
const DashboardCertificate = "kubectl-kubeflow-dashboard"

// The objects around it. The private CA has a self-signed root, so that clients that trust the root keep trusting
// the certificate after a renewal.
const (
	RootName          = "kubectl-kubeflow-root"      // an Issuer, the Certificate it signs, and that one's Secret
	CAIssuer          = "kubectl-kubeflow-authority" // the Issuer that signs with the private CA
	LetsEncryptIssuer = "kubectl-kubeflow-letsencrypt"
)

// ReadEdited returns the objects of other owners that expose changed.
func ReadEdited(ctx context.Context, view cluster.View) ([]*unstructured.Unstructured, error) {
	all, err := listAll(ctx, view, editedKinds, cluster.Scope{Labels: record.Label + "=expose"})
	edited, _ := apart(all, record.Edited)
	return edited, err
}

// MountedSecret is the one Secret that gateways before Istio 1.5 mount: they serve only from files.
const MountedSecret = "istio-ingressgateway-certs"
