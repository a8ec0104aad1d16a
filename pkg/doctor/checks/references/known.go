package references

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"golang.org/x/sync/errgroup"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

// known is what was read: the objects whose references are followed, and those that they can lead to.
type known struct {
	objects   map[schema.GroupKind]map[string]map[string]*unstructured.Unstructured // by kind, namespace and name
	manifests bool                                                                  // they are not on a cluster
	read      map[schema.GroupKind]map[string]bool                                  // on a cluster: the namespaces of which all is known
	profiles  map[string]bool

	everything []*unstructured.Unstructured // all manifests, of whatever kind
}

func newKnown() *known {
	return &known{objects: map[schema.GroupKind]map[string]map[string]*unstructured.Unstructured{}, read: map[schema.GroupKind]map[string]bool{}, profiles: map[string]bool{}}
}

func (k *known) add(objects ...*unstructured.Unstructured) {
	for _, o := range objects {
		kind := o.GroupVersionKind().GroupKind()
		if k.objects[kind] == nil {
			k.objects[kind] = map[string]map[string]*unstructured.Unstructured{}
		}
		if k.objects[kind][o.GetNamespace()] == nil {
			k.objects[kind][o.GetNamespace()] = map[string]*unstructured.Unstructured{}
		}
		k.objects[kind][o.GetNamespace()][o.GetName()] = o
	}
}

func (k *known) find(t target) *unstructured.Unstructured {
	return k.objects[t.kind][t.namespace][t.name]
}

// of returns the objects of a kind, in the order of their names.
func (k *known) of(kind schema.GroupKind) []*unstructured.Unstructured {
	var all []*unstructured.Unstructured
	for _, in := range k.objects[kind] {
		for _, o := range in {
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b *unstructured.Unstructured) int {
		return strings.Compare(a.GetNamespace()+"/"+a.GetName(), b.GetNamespace()+"/"+b.GetName())
	})
	return all
}

// complete reports whether an object of a kind that is not known does not exist. Manifests may be a part of what is applied: they are
// expected to bring what belongs in a namespace that they bring, and more of what they bring some of.
func (k *known) complete(kind schema.GroupKind, namespace string) bool {
	if !k.manifests {
		return k.read[kind][namespace]
	}
	namespaces := k.objects[kube.NamespaceKind][""]
	switch {
	case len(k.objects[kind][namespace]) > 0:
		return true
	case namespace == "":
		return k.defines(kind)
	case namespaces[namespace] != nil:
		return true
	}
	return !alwaysThere(namespace) && text.Closest(namespace, slices.Sorted(maps.Keys(namespaces))) != "" // a slip away from one that they bring
}

// defines reports whether the manifests bring the CustomResourceDefinition of a kind.
func (k *known) defines(kind schema.GroupKind) bool {
	for _, definition := range k.objects[kube.CustomResourceDefinitionKind][""] {
		if kube.DefinedKind(definition) == kind {
			return true
		}
	}
	return false
}

// ours reports whether an object is Kubeflow's or in a profile namespace, as far as its namespace tells. Manifests may be for a namespace
// that they do not bring.
func (k *known) ours(namespace string) bool {
	return namespace == "" || workloads.IsSystem(namespace) || k.profiles[namespace] || k.manifests && k.objects[kube.NamespaceKind][""][namespace] == nil
}

// A listing is a kind that is read of a cluster.
type listing struct {
	kind     schema.GroupKind
	in       []string // namespaces; all if empty
	metadata bool
}

// listings are read of a cluster. Only what bears no keys is read as metadata: nothing of a Secret but its name.
var listings = []listing{
	{kind: kube.DeploymentKind, in: workloads.Namespaces},
	{kind: kube.StatefulSetKind, in: workloads.Namespaces},
	{kind: kube.DaemonSetKind, in: workloads.Namespaces},
	{kind: kube.ConfigMapKind, in: workloads.Namespaces},
	{kind: kube.PersistentVolumeClaimKind, in: workloads.Namespaces},
	{kind: kube.ServiceKind, in: workloads.Namespaces},
	{kind: serviceAccountKind, in: workloads.Namespaces, metadata: true},
	{kind: kube.SecretKind, in: []string{"auth", dashboard.KubeflowNamespace, workloads.Namespace, "oauth2-proxy"}, metadata: true},
	{kind: virtualServiceKind, in: workloads.Namespaces},
	{kind: authorizationKind, in: workloads.Namespaces},
	{kind: gatewayKind},
	{kind: destinationRuleKind},
	{kind: certificateKind},
	{kind: kube.MutatingWebhookConfigurationKind},
	{kind: kube.ValidatingWebhookConfigurationKind},
	{kind: kube.APIServiceKind},
}

// read returns what a View shows.
func read(ctx context.Context, e doctor.Exam) (*known, error) {
	k := newKnown()
	var unknowable *cluster.ErrUnknowable
	if _, err := e.Version(ctx); errors.As(err, &unknowable) {
		return k, k.readManifests(ctx, e)
	} else if err != nil {
		return nil, err
	}
	namespaces, err := e.List(ctx, kube.NamespaceKind, cluster.Scope{})
	if err != nil {
		return nil, err
	}
	k.add(namespaces...)
	for _, ns := range namespaces {
		k.profiles[ns.GetName()] = doctor.IsProfile(ns)
	}
	exists := map[string]bool{}
	for name := range k.objects[kube.NamespaceKind][""] {
		exists[name] = true
	}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for _, l := range listings {
		in := l.in
		if len(in) == 0 {
			in = []string{""}
		}
		for _, namespace := range in {
			if namespace != "" && !exists[namespace] {
				continue
			}
			group.Go(func() error {
				list, err := e.List(ctx, l.kind, cluster.Scope{Namespace: namespace, Metadata: l.metadata})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case meta.IsNoMatchError(err):
					return nil
				case apierrors.IsForbidden(err) && e.Without(err):
					return nil
				case err != nil:
					return err
				}
				k.take(l, namespace, list)
				return nil
			})
		}
	}
	return k, group.Wait()
}

// take adds a list that was read, and notes that nothing else is there.
func (k *known) take(l listing, namespace string, list []*unstructured.Unstructured) {
	for _, o := range list {
		if o.GetKind() == "" || o.GetKind() == "PartialObjectMetadata" {
			o = o.DeepCopy()
			o.SetGroupVersionKind(l.kind.WithVersion("v1"))
		}
		k.add(o)
	}
	if k.read[l.kind] == nil {
		k.read[l.kind] = map[string]bool{}
	}
	k.read[l.kind][namespace] = true
	if namespace == "" {
		for name := range k.objects[kube.NamespaceKind][""] {
			k.read[l.kind][name] = true
		}
	}
}

// readManifests reads all kinds of the table: there are no requests to save.
func (k *known) readManifests(ctx context.Context, e doctor.Exam) error {
	k.manifests = true
	for _, kind := range Kinds() {
		list, err := workloads.ListIfKnown(ctx, e, kind, cluster.Scope{})
		if err != nil {
			return err
		}
		k.add(list...)
	}
	k.everything, _ = e.Manifests(ctx)
	for _, ns := range k.of(kube.NamespaceKind) {
		k.profiles[ns.GetName()] = doctor.IsProfile(ns)
	}
	return nil
}
