package checks

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/state"
)

// A caseCluster is an API server without controllers, so the objects of a case stay as they were written.
type caseCluster struct {
	client  *cluster.Client
	created []*unstructured.Unstructured
}

// create creates a case's objects, with the fields that the API server requires besides those of the case.
func (s *caseCluster) create(ctx context.Context, objects []*unstructured.Unstructured) error {
	order := func(o *unstructured.Unstructured) int {
		switch o.GetKind() {
		case "Namespace", "Node", "CustomResourceDefinition":
			return 0
		case "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration":
			return 2 // they would intercept the others
		}
		return 1
	}
	objects = slices.Clone(objects)
	slices.SortStableFunc(objects, func(a, b *unstructured.Unstructured) int { return order(a) - order(b) })
	for _, o := range objects {
		if ns := o.GetNamespace(); ns != "" {
			if err := s.createNamespace(ctx, ns); err != nil {
				return err
			}
		}
		if err := s.createObject(ctx, o); err != nil {
			return fmt.Errorf("%s: %w", cluster.RefOf(o), err)
		}
	}
	return nil
}

func (s *caseCluster) createObject(ctx context.Context, o *unstructured.Unstructured) error {
	whole := o.DeepCopy()
	setRequiredFields(whole)
	status, apart := whole.Object["status"], strings.Contains(withStatus, " "+whole.GetKind()+" ")
	if apart {
		delete(whole.Object, "status")
	}
	for _, field := range []string{"uid", "creationTimestamp", "resourceVersion"} {
		unstructured.RemoveNestedField(whole.Object, "metadata", field)
	}
	if whole.GetKind() == "Namespace" {
		if err := s.createNamespace(ctx, whole.GetName()); err != nil {
			return err
		}
	}
	in, err := s.resourceFor(whole)
	if err != nil {
		return err
	}
	force := metav1.ApplyOptions{FieldManager: "case", Force: true}
	if whole.GetKind() != "Namespace" {
		s.created = append(s.created, whole)
	}
	now, err := in.Apply(ctx, whole.GetName(), whole, force)
	if err == nil && whole.GetKind() == "Node" { // the API server has added the taint of a node that is not ready
		now.Object["spec"], _ = whole.Object["spec"]
		now, err = in.Update(ctx, now, metav1.UpdateOptions{})
	}
	if err != nil || status == nil || !apart {
		return err
	}
	now.Object["status"] = status
	_, err = in.UpdateStatus(ctx, now, metav1.UpdateOptions{})
	return err
}

// withStatus are the built-in kinds with a status subresource; the CRDs here have none.
const withStatus = " Node Pod Service Deployment StatefulSet DaemonSet ReplicaSet Job PersistentVolumeClaim PersistentVolume ResourceQuota Ingress CertificateSigningRequest "

type resourceClient interface {
	Apply(context.Context, string, *unstructured.Unstructured, metav1.ApplyOptions, ...string) (*unstructured.Unstructured, error)
	Update(context.Context, *unstructured.Unstructured, metav1.UpdateOptions, ...string) (*unstructured.Unstructured, error)
	UpdateStatus(context.Context, *unstructured.Unstructured, metav1.UpdateOptions) (*unstructured.Unstructured, error)
	Patch(context.Context, string, types.PatchType, []byte, metav1.PatchOptions, ...string) (*unstructured.Unstructured, error)
	Delete(context.Context, string, metav1.DeleteOptions, ...string) error
}

func (s *caseCluster) resourceFor(o *unstructured.Unstructured) (resourceClient, error) {
	mapping, err := s.client.Mapping(o.GroupVersionKind())
	if err != nil {
		return nil, err
	}
	if o.GetNamespace() == "" {
		return s.client.Dynamic.Resource(mapping.Resource), nil
	}
	return s.client.Dynamic.Resource(mapping.Resource).Namespace(o.GetNamespace()), nil
}

func (s *caseCluster) createNamespace(ctx context.Context, name string) error {
	for _, o := range []*unstructured.Unstructured{
		{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name}}},
		{Object: map[string]any{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": map[string]any{"name": "default", "namespace": name}}},
	} {
		in, err := s.resourceFor(o)
		if err != nil {
			return err
		}
		if _, err := in.Apply(ctx, o.GetName(), o, metav1.ApplyOptions{FieldManager: "test-setup", Force: true}); err != nil {
			return err
		}
	}
	return nil
}

// deleteCase deletes what create created, except namespaces, whose labels and annotations it removes where the case chose them.
func (s *caseCluster) deleteCase(t *testing.T, ctx context.Context) {
	t.Helper()
	now := int64(0)
	background := metav1.DeletePropagationBackground
	slices.Reverse(s.created) // webhooks first
	for _, o := range s.created {
		in, err := s.resourceFor(o)
		if err == nil && strings.HasPrefix(o.GetKind(), "PersistentVolume") { // its protection controller does not run here
			_, _ = in.Patch(ctx, o.GetName(), types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
		}
		if err == nil {
			err = in.Delete(ctx, o.GetName(), metav1.DeleteOptions{GracePeriodSeconds: &now, PropagationPolicy: &background})
		}
		if err != nil && !apierrors.IsNotFound(err) {
			t.Fatalf("deleting %s: %v", cluster.RefOf(o), err)
		}
	}
	s.created = nil
	namespaces, err := s.client.View().List(ctx, kube.NamespaceKind, cluster.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	for _, ns := range namespaces {
		if ns.GetName() == state.Namespace { // the program's own, which is trusted by its labels
			continue
		}
		change := cluster.Edit(ns, func(o *unstructured.Unstructured) {
			o.SetLabels(map[string]string{"kubernetes.io/metadata.name": o.GetName()})
			o.SetAnnotations(nil)
		})
		if _, err := s.client.Do(ctx, change, cluster.Options{Manager: "test-setup"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, left := range []struct {
		kind  schema.GroupKind
		named string
	}{{kube.NetworkPolicyKind, "kubectl-kubeflow-"}, {schema.GroupKind{Group: "kubeflow.org", Kind: "PodDefault"}, "access-ml-pipeline"}, {kube.ConfigMapKind, "kubectl-kubeflow-doctor-"}, {kube.SecretKind, "kubectl-kubeflow-doctor-"}} {
		list, err := s.client.View().List(ctx, left.kind, cluster.Scope{})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range list {
			if strings.HasPrefix(o.GetName(), left.named) {
				if _, err := s.client.Do(ctx, cluster.Change{Verb: cluster.Delete, Before: o}, cluster.Options{Manager: "test-setup"}); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// simulateControllers stands in for the missing controllers: it reports every changed workload as rolled out.
func (s *caseCluster) simulateControllers(ctx context.Context) {
	for ctx.Err() == nil {
		view := s.client.View()
		for _, kind := range []schema.GroupKind{kube.DeploymentKind, kube.StatefulSetKind, kube.DaemonSetKind} {
			list, err := view.List(ctx, kind, cluster.Scope{})
			if err != nil {
				continue
			}
			for _, o := range list {
				seen, _, _ := unstructured.NestedInt64(o.Object, "status", "observedGeneration")
				if seen == o.GetGeneration() || o.GetGeneration() < 2 {
					continue
				}
				status, _, _ := unstructured.NestedMap(o.Object, "status")
				if status == nil {
					status = map[string]any{}
				}
				status["observedGeneration"] = o.GetGeneration()
				if kind == kube.DaemonSetKind {
					maps.Copy(status, map[string]any{"desiredNumberScheduled": int64(0), "currentNumberScheduled": int64(0), "numberMisscheduled": int64(0), "numberReady": int64(0)})
				} else {
					n, _, _ := unstructured.NestedInt64(o.Object, "spec", "replicas")
					maps.Copy(status, map[string]any{"replicas": n, "updatedReplicas": n, "readyReplicas": n, "availableReplicas": n})
				}
				switch kind {
				case kube.DeploymentKind:
					status["conditions"] = []any{map[string]any{"type": "Available", "status": "True"}, map[string]any{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}}
				case kube.StatefulSetKind:
					status["currentReplicas"] = status["replicas"]
				}
				o = o.DeepCopy()
				o.Object["status"] = status
				if in, err := s.resourceFor(o); err == nil {
					_, _ = in.UpdateStatus(ctx, o, metav1.UpdateOptions{})
				}
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// createCRDs creates schemaless CRDs for the kinds of the cases that are not built in.
func (s *caseCluster) createCRDs(ctx context.Context, objects []*unstructured.Unstructured) error {
	type definition struct {
		versions   []string
		namespaced bool
	}
	kinds := map[schema.GroupKind]*definition{}
	for _, o := range objects {
		kind := o.GroupVersionKind().GroupKind()
		if !strings.Contains(kind.Group, ".") || strings.HasSuffix(kind.Group, ".k8s.io") && kind.Group != "gateway.networking.k8s.io" {
			continue
		}
		if kinds[kind] == nil {
			kinds[kind] = &definition{}
		}
		d := kinds[kind]
		if v := o.GroupVersionKind().Version; !slices.Contains(d.versions, v) {
			d.versions = append(d.versions, v)
		}
		d.namespaced = d.namespaced || o.GetNamespace() != ""
	}
	for kind, d := range kinds {
		o := crdOf(kind, d.versions, d.namespaced)
		if _, err := s.client.Do(ctx, cluster.Change{Verb: cluster.Apply, After: o}, cluster.Options{Manager: "test-setup", Force: true}); err != nil {
			return err
		}
	}
	for kind := range kinds {
		for {
			s.client.Forget()
			if _, err := s.client.View().List(ctx, kind, cluster.Scope{}); err == nil {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("%s was not established: %w", kind, ctx.Err())
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
	return nil
}

func crdOf(kind schema.GroupKind, versions []string, namespaced bool) *unstructured.Unstructured {
	var served []any
	for i, v := range versions {
		served = append(served, map[string]any{"name": v, "served": true, "storage": i == 0, "schema": map[string]any{
			"openAPIV3Schema": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true},
		}})
	}
	plural := pluralOf(kind)
	metadata := map[string]any{"name": plural + "." + kind.Group}
	if strings.HasSuffix(kind.Group, ".k8s.io") {
		metadata["annotations"] = map[string]any{"api-approved.kubernetes.io": "unapproved, for a test"}
	}
	scope := "Cluster"
	if namespaced {
		scope = "Namespaced"
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": metadata,
		"spec": map[string]any{
			"group": kind.Group, "scope": scope,
			"names":    map[string]any{"kind": kind.Kind, "plural": plural, "singular": strings.ToLower(kind.Kind), "listKind": kind.Kind + "List"},
			"versions": served,
		},
	}}
}
