package install

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// appliers are the field managers of what applies whole manifests: kfctl, kubectl apply of either kind, kubectl create
// and replace. Who edits or patches an object is another matter: what people set by hand stays theirs.
var appliers = []string{"kfctl", "kubectl-client-side-apply", "kubectl", "kubectl-create", "kubectl-replace"}

// makers returns which of them made an object.
func makers(fields []managedFields) []string {
	var out []string
	for _, entry := range fields {
		if slices.Contains(appliers, entry.Manager) && entry.Subresource == "" && !slices.Contains(out, entry.Manager) {
			out = append(out, entry.Manager)
		}
	}
	return out
}

// takenOver returns managed fields in which this program owns what an earlier applier owned, so that the next apply takes
// away what it no longer wants; nil when there is nothing to take over. Only paths of one API version can be joined.
func takenOver(fields []managedFields, version string) ([]managedFields, error) {
	ours, found := fieldpath.NewSet(), false
	var out []managedFields
	for _, entry := range fields {
		past := slices.Contains(appliers, entry.Manager) && entry.Subresource == ""
		if !past && !thisProgram(entry) {
			out = append(out, entry)
			continue
		}
		found = found || past
		if entry.APIVersion != version {
			continue
		}
		set, err := setOf(entry)
		if err != nil {
			return nil, err
		}
		ours = ours.Union(set)
	}
	if !found {
		return nil, nil
	}
	raw, err := ours.ToJSON()
	if err != nil {
		return nil, fmt.Errorf("writing down owned fields: %w", err)
	}
	now := metav1.Now()
	return append(out, managedFields{Manager: Manager, Operation: metav1.ManagedFieldsOperationApply, APIVersion: version, Time: &now,
		FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(string(raw))}), nil
}

func setOf(entry managedFields) (*fieldpath.Set, error) {
	set := fieldpath.NewSet()
	if entry.FieldsV1 == nil {
		return set, nil
	}
	if err := set.FromJSON(bytes.NewReader(entry.FieldsV1.GetRawBytes())); err != nil {
		return nil, fmt.Errorf("reading the fields of %s: %w", entry.Manager, err)
	}
	return set, nil
}

// takeOver makes the fields of an object's earlier applier this program's.
func takeOver(ctx context.Context, client *cluster.Client, g Gated) error {
	for {
		live, err := client.View().Get(ctx, g.Ref())
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		fields, err := takenOver(live.GetManagedFields(), g.Object.GetAPIVersion())
		if err != nil || fields == nil {
			return err
		}
		operations, err := json.Marshal([]map[string]any{
			{"op": "replace", "path": "/metadata/managedFields", "value": fields},
			{"op": "replace", "path": "/metadata/resourceVersion", "value": live.GetResourceVersion()},
		})
		if err != nil {
			return fmt.Errorf("taking over %s: %w", g.Ref(), err)
		}
		if _, err = client.Revert(ctx, g.Ref(), operations, cluster.Options{Manager: Manager}); !apierrors.IsConflict(err) {
			return err
		}
	}
}

// dropped returns the fields that an adopted object loses: an earlier applier's, that neither this program nor anybody
// else has set. before and after are its managed fields, the latter as this program's apply leaves them.
func dropped(before, after []managedFields) []string {
	past, kept := fieldpath.NewSet(), fieldpath.NewSet()
	for _, entry := range before {
		set, err := setOf(entry)
		switch {
		case err != nil:
			return nil
		case slices.Contains(appliers, entry.Manager) && entry.Subresource == "":
			past = past.Union(set)
		default:
			kept = kept.Union(set)
		}
	}
	for _, entry := range after {
		if set, err := setOf(entry); err == nil && thisProgram(entry) {
			kept = kept.Union(set)
		}
	}
	var out []string
	past.Leaves().Difference(kept).Iterate(func(path fieldpath.Path) { out = append(out, path.String()) })
	slices.Sort(out)
	return out
}
