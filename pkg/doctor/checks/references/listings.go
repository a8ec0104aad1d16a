package references

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

// A listing is a kind that is read of a cluster. What other checks list as well is listed in their words, so that it is asked once.
type listing struct {
	kind     schema.GroupKind
	in       []string // namespaces; all if empty
	metadata bool
	keep     string // the fields that are enough, where there may be thousands
}

// listings are read of a cluster. Of a Secret nothing is read but its name.
var listings = []listing{
	{kind: kube.DeploymentKind, in: workloads.Namespaces},
	{kind: kube.StatefulSetKind, in: workloads.Namespaces},
	{kind: kube.DaemonSetKind, in: workloads.Namespaces},
	{kind: kube.PodKind, in: workloads.Namespaces},
	{kind: kube.ConfigMapKind, in: workloads.Namespaces},
	{kind: kube.PersistentVolumeClaimKind, in: workloads.Namespaces},
	{kind: kube.ServiceKind, in: workloads.Namespaces},
	{kind: kube.SecretKind, in: []string{"auth", dashboard.KubeflowNamespace, workloads.Namespace, "oauth2-proxy"}, metadata: true},
	{kind: kube.ServiceAccountKind, metadata: true, keep: "metadata/name"},
	{kind: virtualServiceKind, keep: "spec/gateways spec/http/route/destination spec/tls/route/destination spec/tcp/route/destination"},
	{kind: authorizationKind, keep: "spec"},
	{kind: gatewayKind},
	{kind: destinationRuleKind},
	{kind: certificateKind},
	{kind: roleKind, metadata: true, keep: "metadata/name"},
	{kind: clusterRoleKind, metadata: true, keep: "metadata/name"},
	{kind: kube.RoleBindingKind, keep: "roleRef subjects"},
	{kind: clusterRoleBindingKind, keep: "roleRef subjects"},
	{kind: kube.MutatingWebhookConfigurationKind},
	{kind: kube.ValidatingWebhookConfigurationKind},
	{kind: kube.CustomResourceDefinitionKind, keep: workloads.EveryDefinition.Keep},
	{kind: kube.APIServiceKind},
}

// listedKinds returns the kinds that are read of a cluster.
func listedKinds() []schema.GroupKind {
	kinds := []schema.GroupKind{kube.NamespaceKind}
	for _, l := range listings {
		kinds = append(kinds, l.kind)
	}
	slices.SortFunc(kinds, func(a, b schema.GroupKind) int { return strings.Compare(a.String(), b.String()) })
	return kinds
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
	return k, k.readCluster(ctx, e)
}

// readCluster asks for all lists at once. What may not be read, or is not in a bundle, is not known, and nothing that leads there is judged.
func (k *known) readCluster(ctx context.Context, e doctor.Exam) error {
	namespaces, err := e.List(ctx, kube.NamespaceKind, cluster.Scope{})
	if err != nil {
		return err
	}
	k.add(namespaces...)
	for _, ns := range namespaces {
		k.profiles[ns.GetName()] = doctor.IsProfile(ns)
	}
	addOn := k.find(target{kube.NamespaceKind, "", addOnNamespace}) != nil // before others write what is known
	var mu sync.Mutex
	var wait sync.WaitGroup
	var first error
	ask := func(kind schema.GroupKind, in cluster.Scope, take func([]*unstructured.Unstructured)) {
		wait.Go(func() {
			list, err := e.List(ctx, kind, in)
			mu.Lock()
			defer mu.Unlock()
			var unknowable *cluster.ErrUnknowable
			switch {
			case err == nil:
				take(list)
			case meta.IsNoMatchError(err), errors.As(err, &unknowable), apierrors.IsForbidden(err) && e.Without(err):
			case first == nil:
				first = err
			}
		})
	}
	for _, l := range listings {
		for _, namespace := range l.namespaces() {
			ask(l.kind, cluster.Scope{Namespace: namespace, Metadata: l.metadata, Keep: l.keep}, func(list []*unstructured.Unstructured) { k.take(l, namespace, list) })
		}
	}
	ask(kube.DeploymentKind, workloads.EveryDeployment, func(list []*unstructured.Unstructured) { k.takeElsewhere(list) })
	if addOn {
		ask(kube.ConfigMapKind, cluster.Scope{Namespace: addOnNamespace}, func(list []*unstructured.Unstructured) { k.add(list...) })
	}
	wait.Wait()
	return first
}

// addOnNamespace is where the Istio add-on of AKS has its configuration.
const addOnNamespace = "aks-istio-system"

// namespaces returns where a kind is listed.
func (l listing) namespaces() []string {
	if len(l.in) == 0 {
		return []string{""}
	}
	return l.in
}

// take adds a list that was read, and notes that nothing else is there.
func (k *known) take(l listing, namespace string, list []*unstructured.Unstructured) {
	for _, o := range list {
		if o.GetKind() != l.kind.Kind {
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

// takeElsewhere keeps the Deployments of other namespaces: gateways may be there.
func (k *known) takeElsewhere(list []*unstructured.Unstructured) {
	if k.read[kube.DeploymentKind] == nil {
		k.read[kube.DeploymentKind] = map[string]bool{}
	}
	k.read[kube.DeploymentKind][""] = true
	for _, o := range list {
		if !workloads.IsSystem(o.GetNamespace()) {
			if o.GetKind() != kube.DeploymentKind.Kind {
				o = o.DeepCopy()
				o.SetGroupVersionKind(kube.DeploymentKind.WithVersion("v1"))
			}
			k.elsewhere = append(k.elsewhere, o)
		}
	}
}
