package inventory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/state"
)

// Records are the inventories on a cluster.
type Records struct {
	Installed []*Inventory // sorted by name
	Doubtful  []Doubtful   // what looks like an inventory, and is not believed
}

// A Doubtful is a ConfigMap that looks like an inventory and is not believed. It stops nothing else.
type Doubtful struct {
	Ref cluster.Ref `json:"object"`
	Why string      `json:"why"`
}

// String says what is ignored and how to get rid of it.
func (d Doubtful) String() string {
	return fmt.Sprintf("%s is ignored: %s. To delete it: kubectl delete configmap -n %s %s", d.Ref, d.Why, escape.Word(d.Ref.Namespace), escape.Word(d.Ref.Name))
}

// Selector selects inventories by their labels.
const Selector = ManagedByLabel + "=" + Manager + "," + partLabel + "=" + inventoryLabel

// maxOld is how many records of older versions are read: each may be a megabyte, and anybody may write them.
const maxOld = 8

// List returns the inventory of each installation on a cluster, sorted by name: see [Read].
func List(ctx context.Context, view cluster.View) ([]*Inventory, error) {
	records, err := Read(ctx, view)
	if err != nil {
		return nil, err
	}
	return records.Installed, nil
}

// Read returns what is recorded on a cluster. Inventories are in the namespace of [state]: if that is not this program's, the
// error is a [state.UntrustedError].
//
// Older versions kept them in other namespaces, where others can write. Those count only until this program has recorded anything in
// its own namespace, which [TakeOver] does with all of them; afterwards they are only named.
func Read(ctx context.Context, view cluster.View) (*Records, error) {
	state.Ahead(ctx, view, cluster.Scope{Labels: Selector}, kube.ConfigMapKind)
	cluster.Ahead(ctx, view, cluster.Question{Kind: kube.ConfigMapKind, In: cluster.Scope{Labels: Selector, Metadata: true}})
	stored, err := state.List(ctx, view, kube.ConfigMapKind, cluster.Scope{Labels: Selector})
	if err != nil {
		return nil, fmt.Errorf("reading the inventory: %w", err)
	}
	records := &Records{}
	moved := false
	for _, o := range stored {
		_, underWay := o.GetAnnotations()[takenOverAnnotation]
		moved = moved || !underWay
		if o.GetName() == markerName {
			continue
		}
		if v := records.accept(o); v != nil {
			v.Live = o
		}
	}
	elsewhere, err := listElsewhere(ctx, view)
	if err != nil {
		return nil, fmt.Errorf("looking for inventories of older versions: %w", err)
	}
	for i, o := range elsewhere {
		why := "inventories are in namespace " + state.Namespace
		if !moved && i >= maxOld {
			why = fmt.Sprintf("there are more than %d records of older versions", maxOld)
		}
		if moved || i >= maxOld {
			records.doubt(o, why)
		} else if err := records.addOld(ctx, view, cluster.RefOf(o)); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(records.Installed, func(a, b *Inventory) int { return cmp.Compare(a.Name, b.Name) })
	return records, nil
}

// listElsewhere lists, without their content, ConfigMaps in other namespaces that are labelled as inventories, those in namespace
// kubeflow first. It is empty if the user is not allowed to.
func listElsewhere(ctx context.Context, view cluster.View) ([]*unstructured.Unstructured, error) {
	list, err := cluster.IgnoreNoMatch(view.List(ctx, kube.ConfigMapKind, cluster.Scope{Labels: Selector, Metadata: true}))
	if apierrors.IsForbidden(err) {
		if list, err = view.List(ctx, kube.ConfigMapKind, cluster.Scope{Namespace: "kubeflow", Labels: Selector, Metadata: true}); apierrors.IsForbidden(err) {
			return nil, nil
		}
	}
	list = slices.DeleteFunc(slices.Clone(list), func(o *unstructured.Unstructured) bool { return o.GetNamespace() == state.Namespace })
	slices.SortStableFunc(list, func(a, b *unstructured.Unstructured) int {
		return cmp.Compare(rank(a.GetNamespace()), rank(b.GetNamespace()))
	})
	return list, err
}

func rank(namespace string) int {
	if namespace == "kubeflow" {
		return 0
	}
	return 1
}

// addOld accepts the record of an older version: not from a namespace that a user owns, not by the name of another one, and only if
// at least one of the objects that it lists is this program's. What the record says of them is not believed either: see [TakeOver].
func (r *Records) addOld(ctx context.Context, view cluster.View, ref cluster.Ref) error {
	o, err := view.Get(ctx, ref)
	if apierrors.IsNotFound(err) || apierrors.IsForbidden(err) {
		return nil
	}
	if err != nil {
		return err
	}
	namespace, err := view.Get(ctx, cluster.Ref{APIVersion: "v1", Kind: kube.NamespaceKind.Kind, Name: ref.Namespace})
	if err != nil && !apierrors.IsForbidden(err) {
		return err
	}
	if err == nil && state.OfUser(namespace) != "" {
		r.doubt(o, "others can write in the profile namespace that it is in")
		return nil
	}
	v, err := decode(o)
	switch {
	case err != nil:
		r.doubt(o, redact.Message("it cannot be read: "+err.Error()))
		return nil
	case Find(r.Installed, v.Name) != nil:
		r.doubt(o, fmt.Sprintf("another record has the name %s", v.Name))
		return nil
	}
	ours, err := v.listsOurs(ctx, view)
	if err != nil {
		return err
	}
	if !ours {
		r.doubt(o, "this program installed none of the objects that it lists")
		return nil
	}
	v.Old = o
	for i, e := range v.Objects { // its hashes could make an install leave an object as another client changed it
		v.Objects[i] = Entry{Ref: e.Ref, Component: e.Component, PreExisting: e.PreExisting}
	}
	r.Installed = append(r.Installed, v)
	return nil
}

// listsOurs reports whether the first object that exists among those that an inventory lists is this program's.
func (v *Inventory) listsOurs(ctx context.Context, view cluster.View) (bool, error) {
	for _, e := range v.Objects[:min(len(v.Objects), 50)] {
		live, err := cluster.IgnoreNotFound(view.Get(ctx, e.Ref))
		switch {
		case apierrors.IsForbidden(err) || err == nil && live == nil:
		case err != nil:
			return false, fmt.Errorf("reading what an older version installed: %w", err)
		case Ours(live):
			return true, nil
		}
	}
	return len(v.Objects) == 0, nil
}

// accept adds an inventory, or what is wrong with it.
func (r *Records) accept(o *unstructured.Unstructured) *Inventory {
	v, err := decode(o)
	if err != nil {
		r.doubt(o, redact.Message("it cannot be read: "+err.Error()))
		return nil
	}
	r.Installed = append(r.Installed, v)
	return v
}

func (r *Records) doubt(o *unstructured.Unstructured, why string) {
	ref := cluster.RefOf(o)
	ref.APIVersion, ref.Kind = "v1", kube.ConfigMapKind.Kind // a list of metadata does not say
	r.Doubtful = append(r.Doubtful, Doubtful{Ref: ref, Why: why})
}

// Spoiled returns the ConfigMap in which the inventory of an installation would be, if it cannot be read.
func (r *Records) Spoiled(name string) *Doubtful {
	for _, d := range r.Doubtful {
		if d.Ref.Namespace == state.Namespace && d.Ref.Name == namePrefix+name {
			return &d
		}
	}
	return nil
}

// Untrusted reports whether an error says that no record can be believed.
func Untrusted(err error) bool { return errors.As(err, new(*state.UntrustedError)) }
