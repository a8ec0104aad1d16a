package status

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// A Drift is an object that another client has changed since it was installed.
type Drift struct {
	Ref       cluster.Ref `json:"object"`
	Component string      `json:"component"`
	Fields    []string    `json:"fields"` // "spec.replicas: 1 of 3 installed", "metadata.labels.istio-injection: removed"
}

// driftOf says which installed fields of a live object others have changed or removed. It compares who owns the fields, and not their
// values: what others add to an object, what the API server sets by default, and what this program's other commands change is no drift.
func driftOf(e inventory.Entry, live *unstructured.Unstructured) []string {
	var out []string
	if have, scaled := fewerReplicas(e, live); scaled {
		out = append(out, fmt.Sprintf("spec.replicas: %d of %d installed", have, e.Replicas))
	}
	if e.Fields == "" || len(live.GetManagedFields()) == 0 || e.Fields == plan.OwnedFieldsHash(live) {
		return out // without managedFields, as in a bundle, nothing is known
	}
	if e.Owned == "" { // a CRD, or a record of an older version
		if by := lastWriter(live); by != "" {
			out = append(out, "changed by "+by)
		}
		return out
	}
	return append(out, changedFields(e, live)...)
}

// fewerReplicas reports whether a workload has been scaled below what was installed; more may be what its load needs.
func fewerReplicas(e inventory.Entry, live *unstructured.Unstructured) (int64, bool) {
	if e.Replicas == 0 || live.Object["spec"] == nil { // only its metadata was read
		return 0, false
	}
	have := kube.Replicas(live)
	return have, have < e.Replicas
}

// changedFields names the recorded fields that an install no longer owns, and who set each instead.
func changedFields(e inventory.Entry, live *unstructured.Unstructured) []string {
	recorded := fieldpath.NewSet()
	if recorded.FromJSON(strings.NewReader(e.Owned)) != nil {
		return nil
	}
	owners := map[string]*fieldpath.Set{}
	own := fieldpath.NewSet()
	for _, entry := range live.GetManagedFields() {
		set := fieldpath.NewSet()
		if entry.FieldsV1 == nil || set.FromJSON(entry.FieldsV1.GetRawReader()) != nil {
			continue
		}
		if inventory.OfProgram(entry) {
			own = own.Union(set)
		} else if owners[entry.Manager] == nil {
			owners[entry.Manager] = set
		} else {
			owners[entry.Manager] = owners[entry.Manager].Union(set)
		}
	}
	var out []string
	recorded.Leaves().Difference(own).Iterate(func(path fieldpath.Path) {
		field := strings.TrimPrefix(path.String(), ".")
		if by := changer(owners, path); field != "spec.replicas" && !strings.HasSuffix(field, ".caBundle") && !slices.Contains(ofKubernetes, by) {
			out = append(out, field+": "+by)
		}
	})
	slices.Sort(out)
	return out
}

// ofKubernetes are clients that fill in fields which manifests leave to them: the rules of an aggregated ClusterRole.
var ofKubernetes = []string{"set by kube-controller-manager", "set by clusterrole-aggregation-controller"}

// changer says what became of a field.
func changer(owners map[string]*fieldpath.Set, path fieldpath.Path) string {
	var by []string
	for name, set := range owners {
		if set.Has(path) {
			by = append(by, name)
		}
	}
	if len(by) == 0 {
		return "removed"
	}
	slices.Sort(by)
	return "set by " + strings.Join(by, ", ")
}

// lastWriter returns the client that wrote an object last, "" if that was this program, or a controller: those write to what they serve.
func lastWriter(live *unstructured.Unstructured) string {
	var last *metav1.ManagedFieldsEntry
	for _, entry := range live.GetManagedFields() {
		if entry.Subresource != "status" && entry.Time != nil && (last == nil || last.Time.Before(entry.Time)) {
			last = &entry
		}
	}
	if last == nil || inventory.OfProgram(*last) || !strings.HasPrefix(last.Manager, "kubectl") {
		return ""
	}
	return last.Manager
}
