package kube

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
)

// client-go's clients know the scope of every kind: Pods(namespace) is namespaced, Nodes() is not.
func TestScopesAreThoseOfClientGo(t *testing.T) {
	seen := 0
	all := reflect.TypeFor[kubernetes.Interface]()
	for i := range all.NumMethod() {
		group := all.Method(i)
		if group.Type.NumIn() != 0 || !strings.Contains(group.Name, "V") || group.Type.NumOut() != 1 || group.Type.Out(0).Kind() != reflect.Interface {
			continue
		}
		kinds := group.Type.Out(0)
		for j := range kinds.NumMethod() {
			of := kinds.Method(j)
			get, found := of.Type.Out(0).MethodByName("Get")
			if !found || get.Type.NumIn() != 3 || strings.HasPrefix(of.Name, "REST") {
				continue // reviews can only be created
			}
			served, err := kindOf(get.Type.Out(0).Elem())
			if err != nil {
				t.Fatal(err)
			}
			seen++
			if want := of.Type.NumIn() == 0; ClusterScoped(served) != want {
				t.Errorf("ClusterScoped(%s) = %v, but client-go says %v", served, !want, want)
			}
			if !BuiltIn(served) {
				t.Errorf("BuiltIn(%s) = false, but client-go has a client for it", served)
			}
		}
	}
	if seen < 50 {
		t.Errorf("only %d kinds were compared", seen)
	}
}

// kindOf returns the kind that a Go type is registered for.
func kindOf(of reflect.Type) (schema.GroupKind, error) {
	for kind, known := range scheme.Scheme.AllKnownTypes() {
		if known == of {
			return kind.GroupKind(), nil
		}
	}
	return schema.GroupKind{}, fmt.Errorf("%s is not registered", of)
}

func TestKindsOfOtherProjectsAreNotBuiltIn(t *testing.T) {
	for kind, want := range map[string]bool{
		"Pod": true, "Deployment.apps": true, "RuntimeClass.node.k8s.io": true, "PriorityClass.scheduling.k8s.io": true,
		"CertificateSigningRequest.certificates.k8s.io": true, "CustomResourceDefinition.apiextensions.k8s.io": true, "APIService.apiregistration.k8s.io": true,
		"Profile.kubeflow.org": false, "Gateway.gateway.networking.k8s.io": false, "VolumeSnapshot.snapshot.storage.k8s.io": false, "Application.app.k8s.io": false,
	} {
		if got := BuiltIn(schema.ParseGroupKind(kind)); got != want {
			t.Errorf("BuiltIn(%s) = %v", kind, got)
		}
	}
}
