package backup

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	yamldocs "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
)

const owned = `
{apiVersion: v1, kind: Namespace, metadata: {name: team, labels: {app.kubernetes.io/part-of: kubeflow-profile}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: payroll}}
---
{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: profiles.kubeflow.org}, spec: {group: kubeflow.org, names: {kind: Profile}}}
---
{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: ledgers.example.org}, spec: {group: example.org, names: {kind: Ledger}}}
---
{apiVersion: kubeflow.org/v1, kind: Profile, metadata: {name: team}, spec: {owner: {kind: User, name: "ann@example.com"}}}
---
{apiVersion: example.org/v1, kind: Ledger, metadata: {name: a, namespace: team}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: a, namespace: team, annotations: {note: NOTE}}, roleRef: {kind: ClusterRole, name: kubeflow-edit}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: b, namespace: payroll}, roleRef: {kind: ClusterRole, name: admin}}
`

// breaks end a comment for some parsers of YAML, or a document.
const breaks = "\n---\r---\u0085---\u2028---\u2029---\napiVersion: v1\nkind: Secret\nmetadata: {name: evil}\n"

// A backup is applied by an administrator: it holds what is in profile namespaces, and nothing that users wrote becomes an object of its own. The values
// of Secrets are not in it.
func TestABackupHoldsWhatUsersOwnAndNoSecret(t *testing.T) {
	p := kubetest.NewPlanter()
	objects := kubetest.Objects(t, []byte(owned))
	for _, o := range objects {
		if o.GetName() == "a" && o.GetKind() == "RoleBinding" {
			o.SetAnnotations(map[string]string{"note": breaks})
		}
	}
	for i, shape := range kubetest.SecretShapes {
		secret := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret", "data": map[string]any{"a": kubetest.Base64(p.Plant(shape, "data"))}}}
		secret.SetName(fmt.Sprint("secret-", i))
		secret.SetNamespace("team")
		secret.SetAnnotations(map[string]string{"kubectl.kubernetes.io/last-applied-configuration": p.Plant(shape, "annotation")})
		objects = append(objects, secret)
	}
	record := &inventory.Inventory{Name: "kubeflow", Release: "26.03", Objects: []inventory.Entry{{Ref: cluster.Ref{APIVersion: "v1", Kind: "ConfigMap", Name: "x"}, Component: "a\u2028---\u2028kind: Secret"}}}
	b, err := Read(t.Context(), cluster.Objects("a test", nil, objects...), record, "26.04")
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range p.Readable(string(b.Content)) {
		t.Errorf("%s is in the backup", secret)
	}
	var names []string
	documents := yamldocs.NewYAMLReader(bufio.NewReader(bytes.NewReader(b.Content)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		var o map[string]any
		if err := yaml.Unmarshal(document, &o); err != nil {
			t.Errorf("%v in\n%s", err, document)
		}
		if o != nil {
			found := unstructured.Unstructured{Object: o}
			names = append(names, found.GetKind()+"/"+found.GetName())
		}
	}
	if got := strings.Join(names, " "); got != "Profile/team RoleBinding/a" || b.Objects != 2 || len(b.Secrets) != len(kubetest.SecretShapes) {
		t.Errorf("the backup holds %s, %d objects, and names %d Secrets", got, b.Objects, len(b.Secrets))
	}
}
