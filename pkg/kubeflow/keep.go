package kubeflow

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/auth"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/record"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// kept is what an install must not silently revert: HTTPS on the gateway with the settings that follow its name, and a password
// and secrets of the user's own, in whose place the manifests bring those of every Kubeflow.
type kept struct {
	components []release.RenderedComponent
	made       []doctor.Adaptation
	decidedBy  []revision
}

// A revision is a state of a live object that a decision rests on.
type revision struct {
	ref     cluster.Ref
	version string // "" is not there
}

// keep returns the components with what the cluster's own objects keep.
func keep(ctx context.Context, view cluster.View, components []release.RenderedComponent) (*kept, error) {
	edited, err := expose.ReadEdited(ctx, view)
	if err != nil {
		return nil, fmt.Errorf("looking for what expose changed: %w", err)
	}
	exposed := map[cluster.Ref]*unstructured.Unstructured{}
	for _, live := range edited {
		exposed[cluster.RefOf(live).Identity()] = live
	}
	gateways, err := gatewaysOf(ctx, view)
	if err != nil {
		return nil, fmt.Errorf("looking for HTTPS on the gateway: %w", err)
	}
	k := &kept{components: slices.Clone(components)}
	https := doctor.Adaptation{Check: "exposure/tls", Title: "Keep HTTPS on the gateway", Reason: "it was configured on the cluster, and the manifests have none"}
	secrets := doctor.Adaptation{Check: "auth/secrets", Title: "Keep the password and secrets that the cluster has", Reason: "the manifests contain the default ones"}
	for n := range k.components {
		objects := slices.Clone(k.components[n].Objects)
		k.components[n].Objects = objects
		for i, o := range objects {
			if live := exposed[cluster.RefOf(o).Identity()]; live != nil {
				k.rests(cluster.RefOf(o), live)
				objects[i] = record.Preserve(o, live)
			} else if live := gateways[cluster.RefOf(o).Identity()]; live != nil {
				k.rests(cluster.RefOf(o), live)
				if kept := record.KeepTLS(o, live); kept != nil {
					https.Changes = append(https.Changes, cluster.Change{Verb: cluster.Patch, Before: o, After: kept})
					objects[i] = kept
				}
			}
			own, err := k.ownSecrets(ctx, view, o)
			if err != nil {
				return nil, err
			}
			if own != nil {
				secrets.Changes = append(secrets.Changes, cluster.Change{Verb: cluster.Patch, Before: o, After: own})
				objects[i] = own
			}
		}
	}
	for _, made := range []doctor.Adaptation{secrets, https} {
		if len(made.Changes) > 0 {
			k.made = append(k.made, made)
		}
	}
	return k, nil
}

// gatewaysOf returns Istio's Gateways on the cluster by identity; none if Istio is not there, or they may not be read.
func gatewaysOf(ctx context.Context, view cluster.View) (map[cluster.Ref]*unstructured.Unstructured, error) {
	list, err := view.List(ctx, schema.GroupKind{Group: "networking.istio.io", Kind: "Gateway"}, cluster.Scope{})
	if err != nil && !meta.IsNoMatchError(err) && !apierrors.IsForbidden(err) && !apierrors.IsNotFound(err) {
		return nil, err
	}
	found := map[cluster.Ref]*unstructured.Unstructured{}
	for _, o := range list {
		found[cluster.RefOf(o).Identity()] = o
	}
	return found, nil
}

// ownSecrets returns an object with the cluster's own secrets in it; nil when it brings none that everybody knows, or the
// cluster has none of its own.
func (k *kept) ownSecrets(ctx context.Context, view cluster.View, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if !auth.HasKnown(o) {
		return nil, nil
	}
	live, err := view.Get(ctx, cluster.RefOf(o))
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		k.rests(cluster.RefOf(o), nil)
		config, err := view.Get(ctx, cluster.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: o.GetNamespace(), Name: "dex"}) // where releases before 1.9 have it
		if err != nil {
			return nil, unlessMissing(err)
		}
		k.rests(cluster.RefOf(config), config)
		return auth.CarryPassword(o, config), nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking whether %s has secrets of its own: %w", cluster.RefOf(o), err)
	}
	k.rests(cluster.RefOf(o), live)
	return auth.Keep(o, live), nil
}

// unlessMissing is an error of reading dex's configuration, unless it does not exist.
func unlessMissing(err error) error {
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return nil
	}
	return fmt.Errorf("looking for the password in dex's configuration: %w", err)
}

func (k *kept) rests(ref cluster.Ref, live *unstructured.Unstructured) {
	r := revision{ref: ref}
	if live != nil {
		r.version = live.GetResourceVersion()
	}
	k.decidedBy = append(k.decidedBy, r)
}

// changed returns the first of these objects that is no longer as it was; nil when all are.
func changed(ctx context.Context, view cluster.View, decidedBy []revision) (*cluster.Ref, error) {
	for _, r := range decidedBy {
		version := ""
		live, err := view.Get(ctx, r.ref)
		switch {
		case err == nil:
			version = live.GetResourceVersion()
		case !apierrors.IsNotFound(err) && !meta.IsNoMatchError(err):
			return nil, fmt.Errorf("looking whether %s is as it was: %w", r.ref, err)
		}
		if version != r.version {
			return &r.ref, nil
		}
	}
	return nil, nil
}
