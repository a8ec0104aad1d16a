package plan

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
)

// appliers are the field managers of what applies whole manifests: kfctl, kubectl apply of either kind, kubectl create
// and replace, Argo CD, Flux and Helm. Objects of the last three are reached only if the user adopts them: see platform/ownership.
// kubectl edit and patch are not among them: fields that users set by hand stay theirs.
var appliers = []string{"kfctl", "kubectl-client-side-apply", "kubectl", "kubectl-create", "kubectl-replace",
	"argocd-controller", "argocd-application-controller", "kustomize-controller", "helm-controller", "helm"}

// byApplier reports whether an entry of managedFields belongs to one of them.
func byApplier(entry metav1.ManagedFieldsEntry) bool {
	return slices.Contains(appliers, entry.Manager) && entry.Subresource == "" && entry.FieldsV1 != nil
}

// previousManagers returns which of them applied an object.
func previousManagers(fields []metav1.ManagedFieldsEntry) []string {
	var out []string
	for _, entry := range fields {
		if byApplier(entry) && !slices.Contains(out, entry.Manager) {
			out = append(out, entry.Manager)
		}
	}
	return out
}

// transferFields moves the fields of earlier appliers to this program, so that its next apply removes those it does not
// set, and reports whether there were any. Fields of two API versions cannot be merged: those written last stay.
func transferFields(o *unstructured.Unstructured) (bool, error) {
	fields := o.GetManagedFields()
	var past []string
	for i, entry := range fields {
		if byApplier(entry) { // csaupgrade moves one entry of each manager, and no server-side apply: give each its own name
			past = append(past, fmt.Sprintf("%s %d", entry.Manager, i))
			fields[i].Manager, fields[i].Operation = past[len(past)-1], metav1.ManagedFieldsOperationUpdate
		}
	}
	o.SetManagedFields(fields)
	for _, manager := range slices.Backward(past) {
		if err := csaupgrade.UpgradeManagedFields(o, sets.New(manager), inventory.Manager); err != nil {
			return false, fmt.Errorf("reading the fields of %s: %w", manager, err)
		}
	}
	return len(past) > 0, nil
}

// TransferOwnership makes this program the manager of the fields that earlier appliers own. The caller retries a conflict.
func TransferOwnership(ctx context.Context, client *cluster.Client, ref cluster.Ref) error {
	live, err := client.View().Get(ctx, ref)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if found, err := transferFields(live); err != nil || !found {
		return err
	}
	patch, err := json.Marshal([]map[string]any{
		{"op": "replace", "path": "/metadata/managedFields", "value": live.GetManagedFields()},
		{"op": "replace", "path": "/metadata/resourceVersion", "value": live.GetResourceVersion()},
	})
	if err != nil {
		return fmt.Errorf("taking over %s: %w", ref, err)
	}
	_, err = client.Revert(ctx, ref, patch, cluster.Options{Manager: inventory.Manager})
	return err
}

// DroppedFields returns the fields that an adopted object loses: those of an earlier applier that no other manager sets.
// before and after are its managedFields before and after this program's apply.
func DroppedFields(before, after []metav1.ManagedFieldsEntry) []string {
	past, kept := fieldpath.NewSet(), fieldpath.NewSet()
	for _, entry := range before {
		set, err := fieldsOf(entry)
		switch {
		case err != nil:
			return nil
		case byApplier(entry):
			past = past.Union(set)
		default:
			kept = kept.Union(set)
		}
	}
	for _, entry := range after {
		if set, err := fieldsOf(entry); err == nil && AppliedByInstall(entry) {
			kept = kept.Union(set)
		}
	}
	var out []string
	past.Leaves().Difference(kept).Iterate(func(path fieldpath.Path) { out = append(out, path.String()) })
	slices.Sort(out)
	return out
}

func fieldsOf(entry metav1.ManagedFieldsEntry) (*fieldpath.Set, error) {
	set := fieldpath.NewSet()
	return set, set.FromJSON(entry.FieldsV1.GetRawReader())
}
