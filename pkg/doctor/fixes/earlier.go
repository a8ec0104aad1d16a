package fixes

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/state"
)

// Older versions kept records in namespace kubeflow, where its editors can write what an administrator then undoes. They are taken
// over once, marked, and only as far as they lead to nothing that those editors could not do themselves (see unproven).
const earlierNamespace = "kubeflow"

// tookOver is the Secret that says that it has happened.
const tookOver = "kubectl-kubeflow-doctor-took-over"

// earlier lists the records of older versions, with nothing but their metadata.
func earlier(ctx context.Context, view cluster.View) ([]cluster.Ref, error) {
	var refs []cluster.Ref
	for _, kind := range []schema.GroupKind{kube.SecretKind, kube.ConfigMapKind} {
		list, err := view.List(ctx, kind, cluster.Scope{Namespace: earlierNamespace, Labels: recordLabel, Metadata: true})
		if apierrors.IsForbidden(err) {
			continue // who is not allowed to read them cannot take them over either
		}
		if err != nil {
			return nil, fmt.Errorf("looking for records of older versions: %w", err)
		}
		for _, o := range list {
			refs = append(refs, cluster.Ref{APIVersion: "v1", Kind: kind.Kind, Namespace: o.GetNamespace(), Name: o.GetName()})
		}
	}
	slices.SortStableFunc(refs, func(a, b cluster.Ref) int { return cmp.Compare(b.Name, a.Name) }) // of two of one run the Secret is complete
	return refs, nil
}

// TakeOver copies the records of older versions to where records are now, once. What it cannot use stays, and is named.
func TakeOver(ctx context.Context, client *cluster.Client, say func(string)) error {
	if err := state.Ensure(ctx, client); err != nil {
		return err
	}
	view := client.View()
	marker := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": kube.SecretKind.Kind,
		"metadata": map[string]any{"name": tookOver, "namespace": state.Namespace, "labels": map[string]any{state.ManagedByLabel: state.Manager}}}}
	if _, err := view.Get(ctx, cluster.RefOf(marker)); err == nil || !apierrors.IsNotFound(err) {
		return err
	}
	refs, err := earlier(ctx, view)
	if err != nil {
		return err
	}
	taken := map[string]bool{}
	for _, ref := range refs {
		name := strings.TrimPrefix(ref.Name, recordPrefix)
		if len(taken) == kept || taken[name] {
			continue
		}
		if err := takeOver(ctx, client, ref); err != nil {
			if ctx.Err() != nil {
				return err
			}
			say(fmt.Sprintf("%s is ignored: %v", ref, err))
			continue
		}
		taken[name] = true
	}
	if len(taken) > 0 {
		say(fmt.Sprintf("took over the records of %d runs of an older version", len(taken)))
	}
	_, err = client.Do(ctx, cluster.Change{Verb: cluster.Create, After: marker}, cluster.Options{Manager: doctor.Manager})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// takeOver copies one record, and deletes the original.
func takeOver(ctx context.Context, client *cluster.Client, ref cluster.Ref) error {
	view := client.View()
	o, err := view.Get(ctx, ref)
	if err != nil {
		return err
	}
	run, err := decode(o)
	if err != nil {
		return err
	}
	run.TakenOver = true
	switch _, err := view.Get(ctx, cluster.RefOf(run.object())); {
	case err == nil:
		return nil // by a process that was interrupted
	case !apierrors.IsNotFound(err):
		return err
	}
	if err := run.store(ctx, client); err != nil {
		return err
	}
	_, err = client.Do(ctx, cluster.Change{Verb: cluster.Delete, Before: o}, cluster.Options{Manager: doctor.Manager})
	if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
