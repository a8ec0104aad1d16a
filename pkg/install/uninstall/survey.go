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

// A Survey is a look at everything a cluster keeps, as far as metadata tells: what an uninstall is decided on.
type Survey struct {
	kinds   []cluster.Kind
	objects map[schema.GroupKind][]*unstructured.Unstructured
	At      map[cluster.Ref]*unstructured.Unstructured // by identity
	uids    map[types.UID]*unstructured.Unstructured
	unread  map[schema.GroupKind]error
}

var (
	profileKind = schema.GroupKind{Group: "kubeflow.org", Kind: "Profile"}
)

// inFull are the kinds of which more than metadata has to be known.
var inFull = map[schema.GroupKind]bool{kube.PersistentVolumeClaimKind: true, kube.PersistentVolumeKind: true, kube.APIServiceKind: true, kube.MutatingWebhookConfigurationKind: true, kube.ValidatingWebhookConfigurationKind: true}

// unsurveyed are the kinds that come and go by themselves and are nobody's work.
var unsurveyed = map[string]bool{
	"Event": true, "Event.events.k8s.io": true, "Lease.coordination.k8s.io": true,
	"Endpoints": true, "EndpointSlice.discovery.k8s.io": true, "ControllerRevision.apps": true, "Node": true, "CSINode.storage.k8s.io": true,
}

// Look takes a survey of a live cluster.
func Look(ctx context.Context, client *cluster.Client) (*Survey, error) {
	kinds, err := client.Kinds()
	if err != nil {
		return nil, fmt.Errorf("asking which kinds the cluster has: %w", err)
	}
	return NewSurvey(ctx, client.View(), kinds)
}

// NewSurvey takes a survey of some kinds. A kind that cannot be read is remembered as such: what depends on it stays.
func NewSurvey(ctx context.Context, view cluster.View, kinds []cluster.Kind) (*Survey, error) {
	s := &Survey{
		kinds: kinds, objects: map[schema.GroupKind][]*unstructured.Unstructured{}, At: map[cluster.Ref]*unstructured.Unstructured{},
		uids: map[types.UID]*unstructured.Unstructured{}, unread: map[schema.GroupKind]error{},
	}
	var mu sync.Mutex
	readers := new(errgroup.Group)
	readers.SetLimit(16)
	for _, kind := range kinds {
		if unsurveyed[kind.String()] {
			continue
		}
		readers.Go(func() error {
			list, err := view.List(ctx, kind.GroupKind, cluster.Scope{Metadata: !inFull[kind.GroupKind]})
			mu.Lock()
			defer mu.Unlock()
			return s.take(kind, list, err)
		})
	}
	return s, readers.Wait()
}

func (s *Survey) take(kind cluster.Kind, list []*unstructured.Unstructured, err error) error {
	switch {
	case err == nil:
	case meta.IsNoMatchError(err), apierrors.IsMethodNotSupported(err):
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), cluster.Transient(err) && !apierrors.IsInternalError(err) && !apierrors.IsServiceUnavailable(err):
		return fmt.Errorf("looking for every %s: %w", kind, err)
	default: // forbidden, or a conversion webhook or an API server that does not answer
		s.unread[kind.GroupKind] = err
		return nil
	}
	s.objects[kind.GroupKind] = list
	for _, o := range list {
		s.At[cluster.RefOf(o).Identity()] = o
		s.uids[o.GetUID()] = o
	}
	return nil
}

// find returns a live object, nil when it is not there.
func (s *Survey) find(ref cluster.Ref) *unstructured.Unstructured { return s.At[ref.Identity()] }

// definition returns the kind that a CustomResourceDefinition makes.
func (s *Survey) definition(name string) (cluster.Kind, bool) {
	for _, kind := range s.kinds {
		if kind.Group != "" && kind.Definition() == name {
			return kind, true
		}
	}
	return cluster.Kind{}, false
}

// Dead returns the aggregated APIs that nobody answers for: while there is one, no namespace can be deleted.
func (s *Survey) Dead() []string {
	var names []string
	for _, o := range s.objects[kube.APIServiceKind] {
		if ready, _ := cluster.Ready(o); !ready && kube.Map(o.Object, "spec", "service") != nil {
			names = append(names, o.GetName())
		}
	}
	return names
}

// furniture is made by Kubernetes or a controller in every namespace, and of no worth without it.
var furniture = map[string]bool{
	"ConfigMap/kube-root-ca.crt": true, "ConfigMap/istio-ca-root-cert": true, "ConfigMap/istio-ca-crl": true, "ServiceAccount/default": true, "Secret/istio-ca-secret": true,
	"ConfigMap/openshift-service-ca.crt": true,
}

// furnitureNotes are annotations of what controllers make for themselves: leader elections, tokens, certificates.
var furnitureNotes = []string{
	"control-plane.alpha.kubernetes.io/leader", "kubernetes.io/service-account.name",
	"cert-manager.io/certificate-name", "cert-manager.io/allow-direct-injection",
}

// isFurniture tells whether an object goes with its namespace without being anybody's work.
func isFurniture(o *unstructured.Unstructured) bool {
	if furniture[o.GetKind()+"/"+o.GetName()] || o.GetLabels()[inventory.ManagedByLabel] == inventory.Manager {
		return true
	}
	for _, note := range furnitureNotes {
		if _, found := o.GetAnnotations()[note]; found {
			return true
		}
	}
	return false
}

// userSpace tells whether a namespace was made for a Profile: Kubeflow's own controller makes the Profile its owner.
func userSpace(o *unstructured.Unstructured) bool {
	for _, owner := range o.GetOwnerReferences() {
		if owner.Kind == profileKind.Kind && strings.HasPrefix(owner.APIVersion, profileKind.Group+"/") {
			return true
		}
	}
	return false
}
