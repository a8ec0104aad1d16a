package uninstall

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
)

// A Snapshot is the metadata of every object on a cluster: what an uninstall is decided on.
type Snapshot struct {
	kinds   []cluster.Kind
	objects map[schema.GroupKind][]*unstructured.Unstructured
	ByRef   map[cluster.Ref]*unstructured.Unstructured // by identity
	uids    map[types.UID]*unstructured.Unstructured
	unread  map[schema.GroupKind]error
}

// fullKinds are the kinds that are read in full, not only their metadata.
var fullKinds = map[schema.GroupKind]bool{kube.PersistentVolumeClaimKind: true, kube.PersistentVolumeKind: true, kube.APIServiceKind: true, kube.MutatingWebhookConfigurationKind: true, kube.ValidatingWebhookConfigurationKind: true}

// ignoredKinds are the kinds whose objects Kubernetes creates and deletes by itself.
var ignoredKinds = map[string]bool{
	"Event": true, "Event.events.k8s.io": true, "Lease.coordination.k8s.io": true,
	"Endpoints": true, "EndpointSlice.discovery.k8s.io": true, "ControllerRevision.apps": true, "Node": true, "CSINode.storage.k8s.io": true,
}

// ReadCluster reads a live cluster.
func ReadCluster(ctx context.Context, client *cluster.Client) (*Snapshot, error) {
	kinds, err := client.Kinds()
	if err != nil {
		return nil, fmt.Errorf("listing the kinds of the cluster: %w", err)
	}
	return newSnapshot(ctx, client.View(), kinds)
}

// newSnapshot reads some kinds. A kind that cannot be read is recorded as unread: what depends on it is kept.
func newSnapshot(ctx context.Context, view cluster.View, kinds []cluster.Kind) (*Snapshot, error) {
	s := &Snapshot{
		kinds: kinds, objects: map[schema.GroupKind][]*unstructured.Unstructured{}, ByRef: map[cluster.Ref]*unstructured.Unstructured{},
		uids: map[types.UID]*unstructured.Unstructured{}, unread: map[schema.GroupKind]error{},
	}
	var mu sync.Mutex
	readers := new(errgroup.Group)
	readers.SetLimit(16)
	for _, kind := range kinds {
		if ignoredKinds[kind.String()] {
			continue
		}
		readers.Go(func() error {
			list, err := view.List(ctx, kind.GroupKind, cluster.Scope{Metadata: !fullKinds[kind.GroupKind]})
			mu.Lock()
			defer mu.Unlock()
			return s.add(kind, list, err)
		})
	}
	return s, readers.Wait()
}

func (s *Snapshot) add(kind cluster.Kind, list []*unstructured.Unstructured, err error) error {
	switch {
	case err == nil:
	case meta.IsNoMatchError(err), apierrors.IsMethodNotSupported(err):
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), cluster.Transient(err) && !apierrors.IsInternalError(err) && !apierrors.IsServiceUnavailable(err):
		return fmt.Errorf("listing %s: %w", kind, err)
	default: // forbidden, or a conversion webhook or an API server does not respond
		s.unread[kind.GroupKind] = err
		return nil
	}
	s.objects[kind.GroupKind] = list
	for _, o := range list {
		s.ByRef[cluster.RefOf(o).Identity()] = o
		s.uids[o.GetUID()] = o
	}
	return nil
}

// find returns a live object, nil if it does not exist.
func (s *Snapshot) find(ref cluster.Ref) *unstructured.Unstructured { return s.ByRef[ref.Identity()] }

// definition returns the kind that a CustomResourceDefinition defines.
func (s *Snapshot) definition(name string) (cluster.Kind, bool) {
	for _, kind := range s.kinds {
		if kind.Group != "" && kind.Definition() == name {
			return kind, true
		}
	}
	return cluster.Kind{}, false
}

// UnavailableAPIs returns the aggregated APIs that are not available: while there is one, no namespace can be deleted.
func (s *Snapshot) UnavailableAPIs() []string {
	var names []string
	for _, o := range s.objects[kube.APIServiceKind] {
		if ready, _ := cluster.Ready(o); !ready && kube.Map(o.Object, "spec", "service") != nil {
			names = append(names, o.GetName())
		}
	}
	return names
}

// defaultObjects are created by Kubernetes or a controller in every namespace, and not worth keeping it for.
var defaultObjects = map[string]bool{
	"ConfigMap/kube-root-ca.crt": true, "ConfigMap/istio-ca-root-cert": true, "ConfigMap/istio-ca-crl": true, "ServiceAccount/default": true, "Secret/istio-ca-secret": true,
	"ConfigMap/openshift-service-ca.crt": true,
}

// controllerAnnotations are annotations of objects that controllers create for themselves: leader elections, tokens, certificates.
var controllerAnnotations = []string{
	"control-plane.alpha.kubernetes.io/leader", "kubernetes.io/service-account.name",
	"cert-manager.io/certificate-name", "cert-manager.io/allow-direct-injection",
}

// isDefaultObject reports whether an object may be deleted with its namespace because no user created it.
func isDefaultObject(o *unstructured.Unstructured) bool {
	if defaultObjects[o.GetKind()+"/"+o.GetName()] || isRecord(o) {
		return true
	}
	for _, note := range controllerAnnotations {
		if _, found := o.GetAnnotations()[note]; found {
			return true
		}
	}
	return false
}

// isRecord reports whether this program keeps something in an object that no inventory lists: a record. What an install applied does
// not have the label; what others labelled, this program did not write.
func isRecord(o *unstructured.Unstructured) bool {
	return o.GetLabels()[inventory.ManagedByLabel] == inventory.Manager && inventory.Ours(o)
}

// isProfileNamespace reports whether a namespace was created for a Profile: Kubeflow's controller makes the Profile its owner.
func isProfileNamespace(o *unstructured.Unstructured) bool {
	for _, owner := range o.GetOwnerReferences() {
		if owner.Kind == kube.ProfileKind.Kind && strings.HasPrefix(owner.APIVersion, kube.ProfileKind.Group+"/") {
			return true
		}
	}
	return false
}
