package cluster

import (
	"context"
	"maps"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
)

// Overlay returns a View of a cluster as it will be once objects are applied to it: the objects of the cluster, overlaid with these.
// An object that is in both has the fields of both; where they differ, the overlay wins.
func Overlay(base View, objects ...*unstructured.Unstructured) View {
	return &overlayView{base: base, over: Objects("what is about to be applied", nil, objects...).(*objectView)}
}

type overlayView struct {
	base View // not embedded: a method that View gets has to be thought of here
	over *objectView
}

func (v *overlayView) Get(ctx context.Context, ref Ref) (*unstructured.Unstructured, error) {
	base, err := v.base.Get(ctx, ref)
	over, overlaid := v.over.byRef[ref.Identity()]
	switch {
	case !overlaid:
		return base, err
	case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
		return over, nil
	case err != nil:
		return nil, err
	}
	return merged(base, over), nil
}

func (v *overlayView) List(ctx context.Context, kind schema.GroupKind, in Scope) ([]*unstructured.Unstructured, error) {
	base, err := v.base.List(ctx, kind, in)
	if err != nil && !meta.IsNoMatchError(err) {
		return nil, err
	}
	over, missing := v.over.List(ctx, kind, in)
	if meta.IsNoMatchError(missing) {
		return base, err
	} else if missing != nil {
		return nil, missing
	}
	if err != nil && len(over) == 0 && v.over.defines(kind) == nil {
		return nil, err
	}
	list := slices.Clone(base)
	place := map[Ref]int{}
	for i, o := range list {
		place[RefOf(o).Identity()] = i
	}
	for _, o := range over {
		if i, both := place[RefOf(o).Identity()]; both {
			list[i] = merged(list[i], o)
		} else {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, byName)
	return list, nil
}

// Serves knows the kinds that are about to be defined.
func (v *overlayView) Serves(ctx context.Context, kind schema.GroupVersionKind) (bool, error) {
	if definition := v.over.defines(kind.GroupKind()); definition != nil {
		return slices.Contains(servedVersions(definition), kind.Version), nil
	}
	return v.base.Serves(ctx, kind)
}

func (v *overlayView) Can(ctx context.Context, verb string, kind schema.GroupKind, in Scope) (bool, error) {
	return v.base.Can(ctx, verb, kind, in)
}

func (v *overlayView) Version(ctx context.Context) (*version.Info, error) { return v.base.Version(ctx) }

func (v *overlayView) Now(ctx context.Context) (time.Time, error) { return v.base.Now(ctx) }

func (v *overlayView) Logs(ctx context.Context, pod Ref, of LogScope) (string, error) {
	return v.base.Logs(ctx, pod, of)
}

func (v *overlayView) Raw(ctx context.Context, path string) ([]byte, error) {
	return v.base.Raw(ctx, path)
}

// merged returns an object with another's fields overlaid on its own. Lists are replaced, not merged.
func merged(base, over *unstructured.Unstructured) *unstructured.Unstructured {
	out := base.DeepCopy()
	overlayMap(out.Object, over.DeepCopy().Object)
	return out
}

func overlayMap(base, over map[string]any) {
	for key, value := range over {
		below, _ := base[key].(map[string]any)
		if above, ok := value.(map[string]any); ok && below != nil {
			overlayMap(below, above)
			continue
		}
		base[key] = value
	}
}

// Replace returns a View with other objects in the place of some, by their identities. Unlike those of [Overlay], they keep no field
// of what was there.
func Replace(view View, objects map[Ref]*unstructured.Unstructured) View {
	if len(objects) == 0 {
		return view
	}
	return &replacedView{base: view, objects: objects, more: Objects("what is about to be applied", nil, slices.Collect(maps.Values(objects))...)}
}

type replacedView struct {
	base    View
	objects map[Ref]*unstructured.Unstructured
	more    View
}

func (v *replacedView) Get(ctx context.Context, ref Ref) (*unstructured.Unstructured, error) {
	if o := v.objects[ref.Identity()]; o != nil {
		return o, nil
	}
	return v.base.Get(ctx, ref)
}

func (v *replacedView) List(ctx context.Context, kind schema.GroupKind, in Scope) ([]*unstructured.Unstructured, error) {
	list, err := v.base.List(ctx, kind, in)
	if err != nil && !meta.IsNoMatchError(err) {
		return nil, err
	}
	out := slices.Clone(list)
	for i, o := range out {
		if replaced := v.objects[RefOf(o).Identity()]; replaced != nil {
			out[i] = replaced
		}
	}
	added, missing := v.more.List(ctx, kind, in)
	if missing != nil { // it has none of the kind
		return out, err
	}
	for _, o := range added {
		if !slices.ContainsFunc(out, func(other *unstructured.Unstructured) bool {
			return RefOf(other).Identity() == RefOf(o).Identity()
		}) {
			out = append(out, o)
		}
	}
	return out, nil
}

func (v *replacedView) Can(ctx context.Context, verb string, kind schema.GroupKind, in Scope) (bool, error) {
	return v.base.Can(ctx, verb, kind, in)
}

func (v *replacedView) Serves(ctx context.Context, kind schema.GroupVersionKind) (bool, error) {
	return v.base.Serves(ctx, kind)
}

func (v *replacedView) Version(ctx context.Context) (*version.Info, error) {
	return v.base.Version(ctx)
}

func (v *replacedView) Now(ctx context.Context) (time.Time, error) { return v.base.Now(ctx) }

func (v *replacedView) Logs(ctx context.Context, pod Ref, of LogScope) (string, error) {
	return v.base.Logs(ctx, pod, of)
}

func (v *replacedView) Raw(ctx context.Context, path string) ([]byte, error) {
	return v.base.Raw(ctx, path)
}
