package main

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
)

// keep leaves what an install must not take back without a word: HTTPS on the gateway with what follows its name, and a
// password and secrets of one's own, in the place of which the manifests bring those of every Kubeflow.
func (w *wantedInstall) keep(ctx context.Context, view cluster.View) error {
	edited, err := expose.LookEdited(ctx, view)
	if err != nil {
		return fmt.Errorf("looking for what expose changed: %w", err)
	}
	exposed := map[cluster.Ref]*unstructured.Unstructured{}
	for _, live := range edited {
		exposed[cluster.RefOf(live).Identity()] = live
	}
	secrets := doctor.Adaptation{Check: "auth/secrets", Title: "Keep the password and secrets that the cluster has", Reason: "those of the manifests are everybody's"}
	for _, component := range w.request.Components {
		for i, o := range component.Objects {
			if live := exposed[cluster.RefOf(o).Identity()]; live != nil {
				component.Objects[i] = expose.Kept(o, live)
			}
			kept, err := ownSecrets(ctx, view, o)
			if err != nil {
				return err
			}
			if kept != nil {
				secrets.Changes = append(secrets.Changes, cluster.Change{Verb: cluster.Patch, Before: o, After: kept})
				component.Objects[i] = kept
			}
		}
	}
	if len(secrets.Changes) > 0 {
		w.adapted = append(w.adapted, secrets)
	}
	return nil
}

// ownSecrets returns an object with the cluster's own secrets in it, nil when it brings none that everybody knows, or the
// cluster has none of its own.
func ownSecrets(ctx context.Context, view cluster.View, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if !checks.HasKnown(o) {
		return nil, nil
	}
	live, err := view.Get(ctx, cluster.RefOf(o))
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking whether %s has secrets of its own: %w", cluster.RefOf(o), err)
	}
	return checks.Keep(o, live), nil
}
