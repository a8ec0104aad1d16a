package loadbalancer

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
)

// data is the change that sets values of a ConfigMap that has others as well.
func data(name string, others, set map[string]string) cluster.Change {
	o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name}}}
	_ = unstructured.SetNestedStringMap(o.Object, others, "data")
	return cluster.Edit(o, func(o *unstructured.Unstructured) {
		for key, value := range set {
			_ = unstructured.SetNestedField(o.Object, value, "data", key)
		}
	})
}

func TestAPlanCoversASubsetOfItsChanges(t *testing.T) {
	a := data("a", map[string]string{"x": "1", "y": "1"}, map[string]string{"x": "2"})
	b := data("b", map[string]string{"x": "1"}, map[string]string{"x": "2"})
	agreed := Plan{Reach: dashboard.Restricted, Changes: []cluster.Change{a, b}}
	for _, test := range []struct {
		name string
		plan Plan
		want bool
	}{
		{"the same", agreed, true},
		{"the rest of it", Plan{Reach: dashboard.Restricted, Changes: []cluster.Change{b}}, true},
		{"the same where another field of the object changed", Plan{Reach: dashboard.Restricted, Changes: []cluster.Change{
			data("a", map[string]string{"x": "1", "y": "other"}, map[string]string{"x": "2"})}}, true},
		{"another value", Plan{Reach: dashboard.Restricted, Changes: []cluster.Change{data("a", map[string]string{"x": "1"}, map[string]string{"x": "3"})}}, false},
		{"the same value in the place of another one", Plan{Reach: dashboard.Restricted, Changes: []cluster.Change{data("a", map[string]string{"x": "7"}, map[string]string{"x": "2"})}}, false},
		{"another object", Plan{Reach: dashboard.Restricted, Changes: []cluster.Change{a, b, data("c", nil, map[string]string{"x": "2"})}}, false},
		{"another verb", Plan{Reach: dashboard.Restricted, Changes: []cluster.Change{{Verb: cluster.Delete, Before: a.Before}}}, false},
		{"a wider reach", Plan{Reach: dashboard.Public, Changes: agreed.Changes}, false},
	} {
		if got := agreed.Covers(test.plan); got != test.want {
			t.Errorf("%s: covered is %v, want %v", test.name, got, test.want)
		}
	}
}
