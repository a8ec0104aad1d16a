package plan

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

// A Migration is what has to happen to an existing CRD, and to the objects stored in its versions, before the new CRD is applied.
// https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/#upgrade-existing-objects-to-a-new-stored-version
type Migration struct {
	Gone       []string // versions in which objects may be stored, and which the new CRD no longer has
	Storage    string   // the version in which the stored objects are written again; "" if Gone is empty
	Conversion bool     // the conversion is replaced as a whole: fields of the old one beside the new strategy are invalid
	Refusal    string   // why it cannot be done
}

// MigrationOf compares a live CRD with the wanted one. It returns nil if the wanted one can be applied as it is.
func MigrationOf(live, want *unstructured.Unstructured) *Migration {
	m := &Migration{Conversion: conversionStrategy(live) == "Webhook" && conversionStrategy(want) != "Webhook"}
	wanted := versionsOf(want)
	stored, _, _ := unstructured.NestedStringSlice(live.Object, "status", "storedVersions")
	for _, version := range stored {
		if !slices.ContainsFunc(wanted, func(v map[string]any) bool { return v["name"] == version }) {
			m.Gone = append(m.Gone, version)
		}
	}
	if len(m.Gone) > 0 {
		m.chooseStorage(versionsOf(live), wanted)
	}
	if reflect.DeepEqual(*m, Migration{}) {
		return nil
	}
	return m
}

// chooseStorage chooses the version that both CRDs have: the wanted storage version, or another one.
func (m *Migration) chooseStorage(have, wanted []map[string]any) {
	for _, storage := range []bool{true, false} {
		for _, v := range wanted {
			name, _ := v["name"].(string)
			if (v["storage"] == true) == storage && slices.ContainsFunc(have, func(h map[string]any) bool { return h["name"] == name }) {
				m.Storage = name
				return
			}
		}
	}
	m.Refusal = fmt.Sprintf("objects may be stored as %s, and the installed CRD has no version that the new one has (%s)", strings.Join(m.Gone, " and "), names(wanted))
}

// Describe says what a migration does, as the reason of a change.
func (m *Migration) Describe() string {
	var does []string
	if len(m.Gone) > 0 {
		does = append(does, fmt.Sprintf("its stored objects are written again as %s first, because version %s goes", m.Storage, strings.Join(m.Gone, " and ")))
	}
	if m.Conversion {
		does = append(does, "its conversion is replaced as a whole")
	}
	return strings.Join(does, "; ")
}

func conversionStrategy(crd *unstructured.Unstructured) string {
	return kube.Text(crd.Object, "spec", "conversion", "strategy")
}

func versionsOf(crd *unstructured.Unstructured) []map[string]any {
	versions := kube.Items(crd.Object, "spec", "versions")
	if name := kube.Text(crd.Object, "spec", "version"); len(versions) == 0 && name != "" { // v1beta1, with one version
		versions = []map[string]any{{"name": name, "served": true, "storage": true}}
	}
	return versions
}

func names(versions []map[string]any) string {
	var out []string
	for _, v := range versions {
		out = append(out, fmt.Sprint(v["name"]))
	}
	return strings.Join(out, ", ")
}

// markKindChanges marks the custom resources whose CRD this plan changes: the server judges them by the old CRD until then.
func (p *Plan) markKindChanges() {
	changes := map[schema.GroupKind]bool{}
	for _, g := range p.Objects {
		if g.Ref().GroupKind() == kube.CustomResourceDefinitionKind && g.Version != "" && !g.Unchanged {
			changes[kube.DefinedKind(g.Object)] = true
		}
	}
	for i := range p.Objects {
		p.Objects[i].KindChanges = changes[p.Objects[i].Ref().GroupKind()]
	}
}
