package kubeflow

import (
	"context"
	"fmt"
	"maps"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
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
	signIn     *keptSignIn // nil where no identity provider was added
}

// A revision is a state of a live object that a decision rests on.
type revision struct {
	ref     cluster.Ref
	version string // "" is not there
}

// keep returns adapted components with what the cluster's own objects keep, and the adaptations that are left.
func keep(ctx context.Context, view cluster.View, components []release.RenderedComponent, adapted []doctor.Adaptation) (*kept, error) {
	k := &kept{components: slices.Clone(components)}
	live := view
	view, err := k.withoutIdentity(ctx, live)
	if err != nil {
		return nil, err
	}
	edited, err := expose.ReadEdited(ctx, view)
	if err != nil {
		return nil, fmt.Errorf("looking for what expose changed: %w", err)
	}
	exposed := map[cluster.Ref]*unstructured.Unstructured{}
	for _, live := range edited {
		exposed[cluster.RefOf(live).Identity()] = live
	}
	gateways, err := byIdentity(ctx, view, schema.GroupKind{Group: "networking.istio.io", Kind: "Gateway"}, cluster.Scope{})
	if err != nil {
		return nil, fmt.Errorf("looking for HTTPS on the gateway: %w", err)
	}
	claims, err := claimsOf(ctx, view, components)
	if err != nil {
		return nil, fmt.Errorf("looking for volumes: %w", err)
	}
	unadapted := k.leaveOut(adapted, claims)
	https := doctor.Adaptation{Check: "exposure/tls", Title: "Keep HTTPS on the gateway", Reason: "it was configured on the cluster, and the manifests have none"}
	secrets := doctor.Adaptation{Check: "auth/secrets", Title: "Keep the password and secrets that the cluster has", Reason: "the manifests contain the default ones"}
	volumes := doctor.Adaptation{Check: "storage/claims", Title: "Keep the size of volumes that were expanded", Reason: "a volume cannot shrink"}
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
			if live := claims[cluster.RefOf(o).Identity()]; live != nil {
				k.rests(cluster.RefOf(o), live)
				if before := unadapted[cluster.RefOf(o).Identity()]; before != nil {
					objects[i] = before
				}
				if kept := keepVolume(objects[i], live); kept != nil {
					volumes.Changes = append(volumes.Changes, cluster.Change{Verb: cluster.Patch, Before: o, After: kept})
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
	identity, err := k.keepIdentity(ctx, live)
	if err != nil {
		return nil, err
	}
	for _, made := range []doctor.Adaptation{secrets, https, volumes, identity} {
		if len(made.Changes) > 0 {
			k.made = append(k.made, made)
		}
	}
	return k, nil
}

// byIdentity returns the objects of a kind on the cluster by identity; none if the kind is not there, or they may not be read.
func byIdentity(ctx context.Context, view cluster.View, kind schema.GroupKind, in cluster.Scope) (map[cluster.Ref]*unstructured.Unstructured, error) {
	list, err := view.List(ctx, kind, in)
	if err != nil && !meta.IsNoMatchError(err) && !apierrors.IsForbidden(err) && !apierrors.IsNotFound(err) {
		return nil, err
	}
	found := map[cluster.Ref]*unstructured.Unstructured{}
	for _, o := range list {
		found[cluster.RefOf(o).Identity()] = o
	}
	return found, nil
}

// claimsOf returns the PVCs on the cluster, by identity, in the namespaces where the components have some.
func claimsOf(ctx context.Context, view cluster.View, components []release.RenderedComponent) (map[cluster.Ref]*unstructured.Unstructured, error) {
	found, looked := map[cluster.Ref]*unstructured.Unstructured{}, map[string]bool{}
	for _, component := range components {
		for _, o := range component.Objects {
			if o.GroupVersionKind().GroupKind() != kube.PersistentVolumeClaimKind || looked[o.GetNamespace()] {
				continue
			}
			looked[o.GetNamespace()] = true
			claims, err := byIdentity(ctx, view, kube.PersistentVolumeClaimKind, cluster.Scope{Namespace: o.GetNamespace()})
			if err != nil {
				return nil, err
			}
			maps.Copy(found, claims)
		}
	}
	return found, nil
}

// leaveOut adds the adaptations to what was made, but for those of PVCs that exist: they are for volumes that are still to be
// created. It returns these PVCs as they were before.
func (k *kept) leaveOut(adapted []doctor.Adaptation, claims map[cluster.Ref]*unstructured.Unstructured) map[cluster.Ref]*unstructured.Unstructured {
	before := map[cluster.Ref]*unstructured.Unstructured{}
	for _, a := range adapted {
		var left []cluster.Change
		for _, c := range a.Changes {
			ref := c.Ref().Identity()
			if c.Before == nil || claims[ref] == nil {
				left = append(left, c)
			} else if before[ref] == nil {
				before[ref] = c.Before
			}
		}
		if a.Changes = left; len(left) > 0 {
			k.made = append(k.made, a)
		}
	}
	return before
}

// keepVolume returns a PVC with the size of the one on the cluster; nil unless that is larger, since a volume cannot shrink.
func keepVolume(wanted, live *unstructured.Unstructured) *unstructured.Unstructured {
	size := kube.Text(live.Object, "spec", "resources", "requests", "storage")
	if !smaller(kube.Text(wanted.Object, "spec", "resources", "requests", "storage"), size) {
		return nil
	}
	out := wanted.DeepCopy()
	kube.Map(out.Object, "spec", "resources", "requests")["storage"] = size
	return out
}

func smaller(a, b string) bool {
	size, err := resource.ParseQuantity(a)
	if err != nil {
		return false
	}
	other, err := resource.ParseQuantity(b)
	return err == nil && size.Cmp(other) < 0
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
