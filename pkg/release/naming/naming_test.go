package naming

import (
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
)

func TestANameThatNoServerAcceptsIsFound(t *testing.T) {
	for _, c := range []struct{ name, object, want string }{
		{"a placeholder", "{apiVersion: kubeflow.org/v1, kind: Profile, metadata: {name: $(profile-name)}}", "metadata.name"},
		{"a placeholder in a namespace", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: $(ns)}}", "metadata.namespace"},
		{"a placeholder in an owner", "{apiVersion: kubeflow.org/v1, kind: Profile, metadata: {name: a}, spec: {owner: {kind: User, name: $(user)}}}", "spec.owner.name"},
		{"a placeholder in a host", "{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: a}, spec: {http: [{route: [{destination: {host: x.$(ns).svc}}]}]}}", "spec.http[0].route[0].destination.host"},
		{"a placeholder in a subject", "{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: a}, subjects: [{kind: User, name: x, namespace: $(ns)}]}", "subjects[0].namespace"},
		{"a placeholder in a service account", "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {template: {spec: {serviceAccountName: $(sa)}}}}", "spec.template.spec.serviceAccountName"},
		{"upper case", "{apiVersion: v1, kind: ConfigMap, metadata: {name: Config}}", "metadata.name"},
		{"a colon outside RBAC", "{apiVersion: v1, kind: ConfigMap, metadata: {name: 'a:b'}}", "metadata.name"},
		{"a Service with a dot", "{apiVersion: v1, kind: Service, metadata: {name: a.b}}", "metadata.name"},
		{"a Namespace with a dot", "{apiVersion: v1, kind: Namespace, metadata: {name: a.b}}", "metadata.name"},
		{"a namespace with a dot", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: a.b}}", "metadata.namespace"},
		{"a slash in a role", "{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: a/b}}", "metadata.name"},
		{"a colon in a role", "{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: 'a:b'}}", ""},
		{"a name with dots", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a.b.c}}", ""},
		{"a variable of a container", "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, args: ['$(POD)'], env: [{name: A, value: $(B)}]}]}}", ""},
		{"text in a ConfigMap", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {name: $(x)}}", ""},
		{"a Tekton parameter", "{apiVersion: tekton.dev/v1, kind: Pipeline, metadata: {name: a}, spec: {tasks: [{taskRef: {name: $(params.task)}}]}}", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			if fault := Check(kubetest.Objects(t, []byte(c.object))[0]); fault != nil {
				got = fault.Field
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAVariableThatIsKnownIsResolvedInReferencesAlone(t *testing.T) {
	o := kubetest.Objects(t, []byte("{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: a}, spec: {http: [{route: [{destination: {host: x.$(namespace).svc.$(other)}}], note: $(namespace)}]}}"))[0]
	if !Resolve(o, map[string]string{"namespace": "kubeflow"}) {
		t.Fatal("nothing was resolved")
	}
	http := o.Object["spec"].(map[string]any)["http"].([]any)[0].(map[string]any)
	host := http["route"].([]any)[0].(map[string]any)["destination"].(map[string]any)["host"]
	if host != "x.kubeflow.svc.$(other)" || http["note"] != "$(namespace)" {
		t.Errorf("the host is %v, the note %v", host, http["note"])
	}
	if Resolve(o, map[string]string{"namespace": "kubeflow"}) {
		t.Error("the second time something is resolved")
	}
}
