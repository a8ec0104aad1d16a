package cluster

import (
	"encoding/json"
	"strings"
	"testing"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
		t.Fatalf("reading the test's object: %v", err)
	}
	return o
}

const configMap = `
apiVersion: v1
kind: ConfigMap
metadata: {name: config, namespace: kubeflow, resourceVersion: "7", uid: a-b-c}
data: {executor: docker, bucket: mlpipeline}
`

func TestEditLeavesTheObjectItselfAlone(t *testing.T) {
	before := object(t, configMap)
	change := Edit(before, func(o *unstructured.Unstructured) {
		_ = unstructured.SetNestedField(o.Object, "pns", "data", "executor")
	})
	if got, _, _ := unstructured.NestedString(before.Object, "data", "executor"); got != "docker" {
		t.Errorf("the object was changed: executor is %q", got)
	}
	if change.Ref() != (Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: "kubeflow", Name: "config"}) {
		t.Errorf("the change is about %v", change.Ref())
	}
}

func TestInversePutsBackOnlyWhatTheChangeWrote(t *testing.T) {
	change := Edit(object(t, configMap), func(o *unstructured.Unstructured) {
		_ = unstructured.SetNestedField(o.Object, "pns", "data", "executor")
	})
	for _, c := range []struct{ name, live, want string }{
		{"a later edit elsewhere stays", `{"data":{"executor":"pns","bucket":"other"}}`, `{"data":{"executor":"docker","bucket":"other"}}`},
		{"a later edit of the same field is not lost", `{"data":{"executor":"emissary"}}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			inverse, err := change.Inverse()
			if err != nil {
				t.Fatal(err)
			}
			patch, err := jsonpatch.DecodePatch(inverse)
			if err != nil {
				t.Fatal(err)
			}
			got, err := patch.Apply([]byte(c.live))
			if c.want == "" {
				if err == nil {
					t.Fatalf("the patch was applied: %s", got)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !jsonpatch.Equal(got, []byte(c.want)) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestAPatchSaysWhichVersionItWasMadeFor(t *testing.T) {
	change := Edit(object(t, configMap), func(o *unstructured.Unstructured) { o.SetAnnotations(map[string]string{"a": "b"}) })
	body, err := operations(change.Before, change.After)
	if err != nil {
		t.Fatal(err)
	}
	var ops []struct {
		Op, Path string
		Value    any
	}
	if err := json.Unmarshal(unchangedSince(change.Before, body), &ops); err != nil {
		t.Fatal(err)
	}
	if ops[0].Path != "/metadata/resourceVersion" || ops[0].Value != "7" {
		t.Errorf("the first operation is %+v", ops[0])
	}
}

func TestDiffNeverShowsASecret(t *testing.T) {
	secret := func(password string) *unstructured.Unstructured {
		return object(t, `{apiVersion: v1, kind: Secret, metadata: {name: s, annotations: {kubectl.kubernetes.io/last-applied-configuration: "`+password+`"}}, data: {password: `+password+`, same: c2FtZQ==}}`)
	}
	for _, c := range []struct {
		name          string
		before, after *unstructured.Unstructured
		wants         []string
	}{
		{"a value changes", secret("b2xk"), secret("bmV3"), []string{"*** (before)", "*** (after)"}},
		{"the Secret is new", nil, secret("bmV3"), []string{"password: '***'"}},
		{"the Secret goes", secret("b2xk"), nil, []string{"password: '***'"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			diff := Diff(c.before, c.after)
			for _, hidden := range []string{"b2xk", "bmV3", "c2FtZQ"} {
				if strings.Contains(diff, hidden) {
					t.Errorf("the diff shows %q:\n%s", hidden, diff)
				}
			}
			for _, want := range c.wants {
				if !strings.Contains(diff, want) {
					t.Errorf("the diff lacks %q:\n%s", want, diff)
				}
			}
		})
	}
}

func TestDiffLeavesOutWhatTheServerWrites(t *testing.T) {
	before := object(t, configMap)
	after := before.DeepCopy()
	after.SetResourceVersion("8")
	if diff := Diff(before, after); diff != "" {
		t.Errorf("equal objects differ:\n%s", diff)
	}
}
