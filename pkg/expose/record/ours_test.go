package record

import (
	"encoding/json"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/state"
)

// made returns an object of a field manager with labels and a record.
func made(kind, namespace, name, manager, written string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": kind}}
	o.SetNamespace(namespace)
	o.SetName(name)
	labels := map[string]string{Label: "expose"}
	for key, value := range dashboard.ManagedLabels {
		labels[key] = value
	}
	o.SetLabels(labels)
	o.SetAnnotations(map[string]string{Annotation: written})
	o.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: manager, Operation: metav1.ManagedFieldsOperationUpdate, FieldsV1: metav1.NewFieldsV1(`{"f:metadata":{"f:labels":{},"f:annotations":{}}}`)}})
	return o
}

func TestOnlyWhatThisProgramWroteIsItsOwn(t *testing.T) {
	for _, c := range []struct {
		name            string
		o               *unstructured.Unstructured
		created, edited bool
	}{
		{"expose's", made("Gateway", "kubeflow", "kubeflow-gateway", state.Manager, "{}"), true, true},
		{"doctor's", made("NetworkPolicy", "istio-system", dashboard.AllowName, state.Manager+"-doctor", "{}"), true, false},
		{"a label that somebody set", made("Gateway", "kubeflow", "kubeflow-gateway", "kubectl-label", "{}"), false, false},
		{"another Gateway", made("Gateway", "alice", "kubeflow-gateway", state.Manager, "{}"), true, false},
		{"a ConfigMap of a Profile", made("ConfigMap", "alice", "dex", state.Manager, "{}"), true, false},
		{"a ConfigMap of Kubeflow", made("ConfigMap", "kubeflow", "workflow-controller-configmap", state.Manager, "{}"), true, false},
		{"dex's settings", made("ConfigMap", "auth", "dex", state.Manager, "{}"), true, true},
	} {
		if Created(c.o) != c.created || Edited(c.o) != c.edited {
			t.Errorf("%s: created %v, edited %v", c.name, Created(c.o), Edited(c.o))
		}
	}
}

// TestARecordWidensNothing installs again over objects whose records another client wrote.
func TestARecordWidensNothing(t *testing.T) {
	parse := func(text string) *unstructured.Unstructured {
		o := &unstructured.Unstructured{}
		if err := o.UnmarshalJSON([]byte(text)); err != nil {
			t.Fatal(err)
		}
		return o
	}
	const policy = `{"apiVersion":"security.istio.io/v1","kind":"AuthorizationPolicy","metadata":{"name":"a","namespace":"istio-system"},"spec":{"rules":[{"to":[{"operation":{"notPaths":["/x"]}}]}]}}`
	const settings = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"dex","namespace":"auth"},"data":{"SKIP_AUTH_URLS":"/dex","config.yaml":"issuer: https://kubeflow.example.com/dex"}}`
	const gateway = `{"apiVersion":"v1","kind":"Gateway","metadata":{"name":"kubeflow-gateway","namespace":"kubeflow"},"spec":{"servers":[{"hosts":["*"],"port":{"name":"http","number":80,"protocol":"HTTP"}}]}}`
	for _, c := range []struct{ name, wanted, server, written string }{
		{"every path", policy, "", `{"path":"/*"}`},
		{"every path that authservice skips", settings, "", `{"path":"/"}`},
		{"a URL of another form", settings, "", `{"urls":{"https://eve.example.com/#":"https://kubeflow.example.com"}}`},
		{"plain HTTP", settings, "", `{"urls":{"http://eve.example.com":"https://kubeflow.example.com"}}`},
		{"any text", settings, "", `{"urls":{"https://eve.example.com":"issuer: "}}`},
		{"no record", settings, "", `[1`},
		{"a server without TLS", gateway, `{"hosts":["*"],"port":{"name":"https-kubectl-kubeflow","number":8080,"protocol":"HTTP"}}`, `{}`},
		{"a server that passes through", gateway, `{"hosts":["*"],"port":{"name":"https-kubectl-kubeflow","number":443,"protocol":"HTTPS"},"tls":{"mode":"PASSTHROUGH"}}`, `{}`},
		{"a server without a port", gateway, `{"hosts":["*"],"port":{"name":"https-kubectl-kubeflow"}}`, `{}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			wanted, live := parse(c.wanted), parse(c.wanted)
			live.SetAnnotations(map[string]string{Annotation: c.written})
			if c.server != "" {
				var server map[string]any
				if err := json.Unmarshal([]byte(c.server), &server); err != nil {
					t.Fatal(err)
				}
				SetServers(live, append(dashboard.Servers(live), server))
			}
			for _, f := range cluster.ChangedFields(wanted, Preserve(wanted, live)) {
				if f.Pointer != "/metadata/annotations/kubectl-kubeflow~1expose" && f.Pointer != "/metadata/labels/kubectl-kubeflow~1edited-by" {
					t.Errorf("it changes %s from %v to %v", f.Pointer, f.Before, f.After)
				}
			}
			for _, f := range cluster.ChangedFields(live, Revert(live).After) {
				if c.server == "" && f.Pointer != "/metadata/annotations/kubectl-kubeflow~1expose" {
					t.Errorf("its removal changes %s from %v to %v", f.Pointer, f.Before, f.After)
				}
			}
		})
	}
}
