package fixes

import (
	"encoding/json"
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// honest is what a check declares in these tests.
var honest = []*doctor.Check{{ID: "area/check", Writes: []doctor.Write{
	{Kind: schema.GroupKind{Kind: "ConfigMap"}, In: []string{"kubeflow", "auth", doctor.Profiles}, Names: []string{"settings"}, Fields: []string{"/data/x"}, Create: true},
	{Kind: schema.GroupKind{Group: "apps", Kind: "Deployment"}, In: []string{"kubeflow", "istio-system"}, Restart: true},
	{Kind: schema.GroupKind{Group: "apps", Kind: "StatefulSet"}, In: []string{"istio-system"}, Names: []string{"authservice"}, Delete: true},
	{Kind: schema.GroupKind{Kind: "ConfigMap"}, Names: []string{"anywhere"}, Fields: []string{"/data/x"}},
	{Kind: schema.GroupKind{Group: "storage.k8s.io", Kind: "StorageClass"}, Fields: []string{"/metadata/annotations/default"}, Edit: func(o *unstructured.Unstructured) {
		_ = unstructured.SetNestedField(o.Object, "true", "metadata", "annotations", "default")
	}},
}}}

// object returns an object as a server has it: fields is what a fix set of it, as managedFields note it.
func object(apiVersion, kind, namespace, name, fields string, content map[string]any) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": apiVersion, "kind": kind}}
	for key, value := range content {
		o.Object[key] = value
	}
	o.SetName(name)
	o.SetNamespace(namespace)
	o.SetUID("1")
	o.SetResourceVersion("7")
	if fields != "" {
		o.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: doctor.Manager, Operation: metav1.ManagedFieldsOperationUpdate, FieldsV1: metav1.NewFieldsV1(fields)}})
	}
	return o
}

func TestARecordLeadsToNothingButTheUndoingOfAFix(t *testing.T) {
	settings := func(namespace, name, fields string) *unstructured.Unstructured {
		return object("v1", "ConfigMap", namespace, name, fields, map[string]any{"data": map[string]any{"x": "good", "y": "other"}})
	}
	const x = `{"f:data":{"f:x":{}}}`
	const back = `[{"op":"test","path":"/data/x","value":"good"},{"op":"replace","path":"/data/x","value":"bad"}]`
	webhook := object("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", "", "istio", "", nil)
	class := func(value, fields string) *unstructured.Unstructured {
		return object("storage.k8s.io/v1", "StorageClass", "", "disk", fields, map[string]any{"metadata": map[string]any{"annotations": map[string]any{"default": value}}})
	}
	const annotated = `{"f:metadata":{"f:annotations":{"f:default":{}}}}`
	deployment := func(namespace string) *unstructured.Unstructured {
		return object("apps/v1", "Deployment", namespace, "d", "", nil)
	}
	binding := object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "", "mine", "", nil)
	set := func(namespace, name string) *unstructured.Unstructured {
		return object("apps/v1", "StatefulSet", namespace, name, "", map[string]any{"spec": map[string]any{"replicas": int64(1)}})
	}
	const later = `[{"op":"test","path":"/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt","value":"then"},{"op":"remove","path":"/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt"}]`
	for _, c := range []struct {
		name  string
		about *unstructured.Unstructured
		step  string // what its record says besides the object
		now   *unstructured.Unstructured
		want  string // the verb of the change, or what becomes of the step; then the same of a record that was taken over
		taken string
	}{
		{"what a fix wrote", settings("kubeflow", "settings", ""), `"verb":"patch","state":"made","uid":"1","inverse":` + back, settings("kubeflow", "settings", x), "patch", "patch"},
		{"what a fix wrote elsewhere", settings("auth", "settings", ""), `"verb":"patch","state":"made","uid":"1","inverse":` + back, settings("auth", "settings", x), "patch", "kept"},
		{"what another client wrote", settings("kubeflow", "settings", ""), `"verb":"patch","state":"made","uid":"1","inverse":` + back, settings("kubeflow", "settings", ""), "reverted", "reverted"},
		{"of the object a fix wrote another field", settings("kubeflow", "settings", ""), `"verb":"patch","state":"made","uid":"1","inverse":[{"op":"test","path":"/data/y","value":"other"},{"op":"replace","path":"/data/y","value":"bad"}]`, settings("kubeflow", "settings", x), "reverted", "reverted"},
		{"a field that no fix writes", settings("kubeflow", "settings", ""), `"verb":"patch","state":"made","uid":"1","inverse":[{"op":"test","path":"/data/y","value":"other"},{"op":"replace","path":"/data/y","value":"bad"}]`, settings("kubeflow", "settings", `{"f:data":{}}`), "kept", "kept"},
		{"no test", settings("kubeflow", "settings", ""), `"verb":"patch","state":"made","uid":"1","inverse":[{"op":"replace","path":"/data/x","value":"bad"}]`, settings("kubeflow", "settings", x), "changed", "changed"},
		{"an addition that replaces", settings("kubeflow", "settings", ""), `"verb":"patch","state":"made","uid":"1","inverse":[{"op":"add","path":"/data/x","value":"bad"}]`, settings("kubeflow", "settings", x), "changed", "changed"},
		{"a whole map", settings("kubeflow", "settings", ""), `"verb":"patch","state":"made","uid":"1","inverse":[{"op":"test","path":"/data","value":{"x":"good","y":"other"}},{"op":"replace","path":"/data","value":{"x":"bad"}}]`, settings("kubeflow", "settings", `{"f:data":{}}`), "kept", "kept"},
		{"an addition beside the field", settings("kubeflow", "settings", ""), `"verb":"patch","state":"made","uid":"1","inverse":[{"op":"add","path":"/data/z","value":"bad"}]`, settings("kubeflow", "settings", x), "kept", "kept"},
		{"an owner", settings("kubeflow", "settings", ""), `"verb":"patch","state":"made","uid":"1","inverse":[{"op":"add","path":"/metadata/ownerReferences","value":[{"apiVersion":"v1","kind":"Node","name":"n","uid":"u"}]}]`, settings("kubeflow", "settings", x), "kept", "kept"},
		{"another name", settings("kubeflow", "settings", ""), `"verb":"patch","state":"made","uid":"1","inverse":[{"op":"test","path":"/metadata/name","value":"settings"},{"op":"replace","path":"/metadata/name","value":"other"}]`, settings("kubeflow", "settings", x), "changed", "changed"},
		{"an object that no fix writes", settings("kubeflow", "mine", ""), `"verb":"patch","state":"made","uid":"1","inverse":` + back, settings("kubeflow", "mine", x), "kept", "kept"},
		{"a namespace that no fix writes in", settings("shop", "settings", ""), `"verb":"patch","state":"made","uid":"1","inverse":` + back, settings("shop", "settings", x), "kept", "kept"},
		{"a Profile's namespace", settings("alice", "settings", ""), `"verb":"patch","state":"made","uid":"1","inverse":` + back, settings("alice", "settings", x), "patch", "kept"},
		{"the system's namespace", settings("kube-system", "settings", ""), `"verb":"patch","state":"made","uid":"1","inverse":` + back, settings("kube-system", "settings", x), "kept", "kept"},
		{"an object that a fix writes everywhere", settings("shop", "anywhere", ""), `"verb":"patch","state":"made","uid":"1","inverse":` + back, settings("shop", "anywhere", x), "patch", "kept"},
		{"that object in the system's namespace", settings("kube-system", "anywhere", ""), `"verb":"patch","state":"made","uid":"1","inverse":` + back, settings("kube-system", "anywhere", x), "kept", "kept"},
		{"a kind that no fix writes", webhook, `"verb":"patch","state":"made","uid":"1","inverse":[{"op":"add","path":"/webhooks","value":[]}]`, webhook, "kept", "kept"},

		{"a creation", settings("kubeflow", "settings", ""), `"verb":"apply","state":"made","uid":"1","created":true`, settings("kubeflow", "settings", x), "delete", "delete"},
		{"a creation of another client", settings("kubeflow", "settings", ""), `"verb":"apply","state":"made","uid":"1","version":"7","created":true`, settings("kubeflow", "settings", ""), "changed", "changed"},
		{"a creation of another client, planned", settings("kubeflow", "settings", ""), `"verb":"apply","state":"planned","uid":"1","version":"7","created":true`, settings("kubeflow", "settings", ""), "untouched", "untouched"},
		{"a creation that no fix makes", deployment("kubeflow"), `"verb":"apply","state":"made","uid":"1","created":true`, object("apps/v1", "Deployment", "kubeflow", "d", `{"f:spec":{}}`, nil), "kept", "kept"},

		{"a deletion", set("istio-system", "authservice"), `"verb":"delete","state":"made"`, nil, "create", "kept"},
		{"a deletion of another object", set("istio-system", "mine"), `"verb":"delete","state":"made"`, nil, "kept", "kept"},
		{"a deletion in another namespace", set("kube-system", "authservice"), `"verb":"delete","state":"made"`, nil, "kept", "kept"},
		{"a deletion that no fix makes", settings("kubeflow", "settings", ""), `"verb":"delete","state":"made"`, nil, "kept", "kept"},
		{"a binding to cluster-admin", binding, `"verb":"delete","state":"made"`, nil, "kept", "kept"},
		{"the creation of a binding", binding, `"verb":"apply","state":"made","created":true,"uid":"1"`, binding, "kept", "kept"},

		{"a restart", deployment("kubeflow"), `"verb":"restart","state":"made","uid":"1","inverse":` + later, deployment("kubeflow"), "restart", "restart"},
		{"a restart elsewhere", deployment("istio-system"), `"verb":"restart","state":"made","uid":"1","inverse":` + later, deployment("istio-system"), "restart", "kept"},
		{"a restart of another object of that name", deployment("kubeflow"), `"verb":"restart","state":"made","uid":"2","inverse":` + later, deployment("kubeflow"), "changed", "changed"},
		{"a restart of an unknown object", deployment("kubeflow"), `"verb":"restart","state":"made","inverse":` + later, deployment("kubeflow"), "changed", "changed"},
		{"a restart where no fix restarts", deployment("shop"), `"verb":"restart","state":"made","uid":"1","inverse":` + later, deployment("shop"), "kept", "kept"},
		{"a restart that changes the image", deployment("kubeflow"), `"verb":"restart","state":"made","uid":"1","inverse":[{"op":"add","path":"/spec","value":{"image":"mine"}}]`, deployment("kubeflow"), "kept", "kept"},

		{"what the fix does wherever it is", class("", ""), `"verb":"patch","state":"made","uid":"1","inverse":[{"op":"test","path":"/metadata/annotations/default","value":"true"},{"op":"replace","path":"/metadata/annotations/default","value":"false"}]`, class("true", annotated), "patch", "patch"},
		{"another value than the fix writes", class("", ""), `"verb":"patch","state":"made","uid":"1","inverse":[{"op":"test","path":"/metadata/annotations/default","value":"no"},{"op":"replace","path":"/metadata/annotations/default","value":"bad"}]`, class("no", annotated), "patch", "kept"},
	} {
		for _, takenOver := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, taken over %v", c.name, takenOver), func(t *testing.T) {
				s := &Step{}
				if err := json.Unmarshal([]byte(`{"check":"area/check",`+c.step+`}`), s); err != nil {
					t.Fatal(err)
				}
				if s.About = cluster.RefOf(c.about); s.Verb == cluster.Delete {
					s.Before = c.about
				}
				u := &undoer{checks: honest, run: &Run{TakenOver: takenOver, Steps: []*Step{s}}, isProfile: func(ns string) bool { return ns == "alice" }}
				want := c.want
				if takenOver {
					want = c.taken
				}
				i := u.decide(s, c.now)
				got := string(i.Outcome)
				if i.Change != nil {
					got = string(i.Change.Verb)
				}
				if got != want {
					t.Errorf("it leads to %s (%s), want %s", got, i.Reason, want)
				}
			})
		}
	}
}

func TestARecordOfAnUnknownCheckLeadsToNothing(t *testing.T) {
	s := &Step{Check: "area/other", Verb: cluster.Delete, State: StepMade, About: cluster.RefOf(value("a", "")), Before: value("a", "")}
	u := &undoer{checks: honest, run: &Run{Steps: []*Step{s}}, isProfile: func(string) bool { return false }}
	if i := u.decide(s, nil); i.Change != nil || i.Outcome != Kept {
		t.Errorf("it leads to %+v", i)
	}
}

// What was confirmed is done only if it is still the same: another verb, object or value is not.
func TestOnlyTheEffectThatWasConfirmedIsMade(t *testing.T) {
	edit := func(uid, version, to string) cluster.Change {
		before := object("v1", "ConfigMap", "kubeflow", "settings", "", map[string]any{"data": map[string]any{"x": "good"}})
		before.SetUID(types.UID(uid))
		before.SetResourceVersion(version)
		return cluster.Edit(before, func(o *unstructured.Unstructured) { _ = unstructured.SetNestedField(o.Object, to, "data", "x") })
	}
	deletion := edit("1", "7", "bad")
	deletion.Verb = cluster.Delete
	elsewhere := edit("1", "7", "bad")
	for _, o := range []*unstructured.Unstructured{elsewhere.Before, elsewhere.After} {
		o.SetNamespace("shop")
	}
	for name, c := range map[string]struct {
		later cluster.Change
		same  bool
	}{
		"the same":                   {edit("1", "7", "bad"), true},
		"the same on a later object": {edit("1", "8", "bad"), true},
		"another value":              {edit("1", "7", "worse"), false},
		"another object of the name": {edit("2", "7", "bad"), false},
		"another namespace":          {elsewhere, false},
		"a deletion":                 {deletion, false},
	} {
		if got := sameEffect(edit("1", "7", "bad"), c.later); got != c.same {
			t.Errorf("%s: %v", name, got)
		}
	}
}
