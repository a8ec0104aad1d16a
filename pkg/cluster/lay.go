package cluster

import (
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Lay returns a View of a cluster as it will be once objects are applied to it: what is on it, with these laid over it.
// An object that is in both has the fields of both, and where they differ the one that is laid over it wins.
func Lay(base View, objects ...*unstructured.Unstructured) View {
	return &laidView{View: base, over: Objects("what is about to be applied", nil, objects...).(*objectView)}
}

type laidView struct {
	View
	over *objectView
}

func (v *laidView) Get(ctx context.Context, ref Ref) (*unstructured.Unstructured, error) {
	base, err := v.View.Get(ctx, ref)
	over, laid := v.over.byRef[ref.Identity()]
	switch {
	case !laid:
		return base, err
	case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
		return over, nil
	case err != nil:
		return nil, err
	}
	return merged(base, over), nil
}

func (v *laidView) List(ctx context.Context, kind schema.GroupKind, in Scope) ([]*unstructured.Unstructured, error) {
	base, err := v.View.List(ctx, kind, in)
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
func (v *laidView) Serves(ctx context.Context, kind schema.GroupVersionKind) (bool, error) {
	if definition := v.over.defines(kind.GroupKind()); definition != nil {
		return slices.Contains(servedVersions(definition), kind.Version), nil
	}
	return v.View.Serves(ctx, kind)
}

// merged returns an object with another's fields laid over its own. Lists are replaced, not merged.
func merged(base, over *unstructured.Unstructured) *unstructured.Unstructured {
	out := base.DeepCopy()
	layMap(out.Object, over.DeepCopy().Object)
	return out
}

func layMap(base, over map[string]any) {
	for key, value := range over {
		below, _ := base[key].(map[string]any)
		if above, ok := value.(map[string]any); ok && below != nil {
			layMap(below, above)
			continue
		}
		base[key] = value
	}
}
