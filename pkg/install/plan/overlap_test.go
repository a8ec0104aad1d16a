package plan

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
)

var (
	gatewayRef = cluster.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "istio-system", Name: "gateway"}
	cacheRef   = cluster.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "kubeflow", Name: "cache"}
	homeRef    = cluster.Ref{APIVersion: "v1", Kind: "Namespace", Name: "kubeflow"}
)

func planOf(request Request, refs ...cluster.Ref) *Plan {
	p := &Plan{Name: request.Name, Release: request.Release, Request: request}
	for _, ref := range refs {
		o := &unstructured.Unstructured{Object: map[string]any{}}
		o.SetAPIVersion(ref.APIVersion)
		o.SetKind(ref.Kind)
		o.SetNamespace(ref.Namespace)
		o.SetName(ref.Name)
		p.Objects = append(p.Objects, Gated{Stage: "istio", Object: o})
	}
	return p
}

func TestASecondKubeflowIsRefusedByTheNameOfTheFirst(t *testing.T) {
	one := &inventory.Inventory{Name: "kubeflow", Release: "26.03", Objects: []inventory.Entry{{Ref: gatewayRef}, {Ref: homeRef}}}
	for _, c := range []struct {
		name    string
		request Request
		refused bool
	}{
		{"a whole one", Request{Name: "two", Release: "1.2.0", Others: []*inventory.Inventory{one}}, true},
		{"a part of one", Request{Name: "two", Release: "26.03", Partial: true, Others: []*inventory.Inventory{one}}, false},
		{"not a Kubeflow", Request{Name: "two", Release: "mpi-operator-0.8.0", Others: []*inventory.Inventory{one}}, false},
		{"no other installation", Request{Name: "two", Release: "26.03"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			problems, err := CheckSecondInstallation(t.Context(), planOf(c.request, gatewayRef, homeRef), nil)
			if err != nil || (len(problems) == 1) != c.refused {
				t.Errorf("got %v, %v", problems, err)
			}
		})
	}
}

func TestOnlyObjectsWithoutUserDataAreShared(t *testing.T) {
	one := &inventory.Inventory{Name: "kubeflow", Objects: []inventory.Entry{{Ref: gatewayRef}, {Ref: homeRef}, {Ref: cacheRef}}}
	shares := planOf(Request{Others: []*inventory.Inventory{one}}, gatewayRef, homeRef).Overlaps()
	if len(shares) != 1 || len(shares[0].Objects) != 1 || shares[0].Objects[0] != gatewayRef {
		t.Errorf("got %+v, want only the gateway", shares)
	}
}

func TestObjectsOfAnotherInstallationAreNotPruned(t *testing.T) {
	one := &inventory.Inventory{Name: "one", Objects: []inventory.Entry{{Ref: gatewayRef}}}
	p := planOf(Request{})
	p.Have = &inventory.Inventory{Objects: []inventory.Entry{{Ref: gatewayRef}, {Ref: cacheRef}}}
	p.decidePrune(Request{Others: []*inventory.Inventory{one}})
	if len(p.Prune) != 1 || p.Prune[0] != cacheRef || len(p.Keep)+len(p.untouched) != 0 {
		t.Errorf("pruned %v, kept %v and %v; want the cache pruned and the gateway left alone", p.Prune, p.Keep, p.untouched)
	}
}

func TestARejectionIsReportedWithoutTheWholeValue(t *testing.T) {
	for message, want := range map[string]string{
		`Invalid value: {"matchLabels":{"app":"two"}}: field is immutable`:           "field is immutable",
		"Forbidden: spec is immutable\n@@ -10,7 +10,7 @@\n-  a\n+  b\n":              "Forbidden: spec is immutable",
		`Invalid value: "x": must be one of y, z`:                                    `Invalid value: "x": must be one of y, z`,
		`Invalid value: {"a":{"b":"c"}}`:                                             "Invalid value",
		`Invalid value: {"matchLabels":{"a":"b"}, "c": {}}: selector does not match`: "selector does not match",
	} {
		if got := withoutValue(message); got != want {
			t.Errorf("of %q got %q, want %q", message, got, want)
		}
	}
}

func TestInstallationsOfOneReleaseMayShareObjects(t *testing.T) {
	one := &inventory.Inventory{Name: "one", Release: "1.2.0", Objects: []inventory.Entry{{Ref: gatewayRef}}}
	other := cacheRef
	other.Name = "another"
	problems, err := CheckSecondInstallation(t.Context(), planOf(Request{Name: "two", Release: "1.2.0", Others: []*inventory.Inventory{one}}, gatewayRef, cacheRef, other), nil)
	if err != nil || len(problems) > 0 {
		t.Errorf("got %v, %v", problems, err)
	}
}
