package cluster

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

// Objects returns a View of objects that are not on a cluster: rendered manifests, or a saved bundle.
// source says in errors what they are ("rendered manifests"); server may be nil where no version is known.
func Objects(source string, server *version.Info, objects ...*unstructured.Unstructured) View {
	return Saved(source, Memory{Version: server}, objects...)
}

// A Memory is what is known of a cluster beside its objects. What is missing cannot be known.
type Memory struct {
	Version *version.Info
	Now     time.Time                   // when it was looked at
	Logs    map[Ref]map[LogScope]string // by pod (its Identity), then by what was asked
	Raw     map[string][]byte           // by path
}

// Saved returns a View of objects, as [Objects] does, with what else is known.
func Saved(source string, memory Memory, objects ...*unstructured.Unstructured) View {
	v := &objectView{source: source, memory: memory, all: objects, byRef: map[Ref]*unstructured.Unstructured{}, byKind: map[schema.GroupKind][]*unstructured.Unstructured{}}
	for _, o := range objects {
		v.byRef[RefOf(o).Identity()] = o
		kind := o.GroupVersionKind().GroupKind()
		v.byKind[kind] = append(v.byKind[kind], o)
	}
	for _, list := range v.byKind {
		slices.SortStableFunc(list, byName)
	}
	return v
}

type objectView struct {
	source string
	memory Memory
	all    []*unstructured.Unstructured
	byRef  map[Ref]*unstructured.Unstructured
	byKind map[schema.GroupKind][]*unstructured.Unstructured
}

// Everything returns all objects that a View of [Objects] shows; false for one that has to ask for them by kind.
func Everything(view View) ([]*unstructured.Unstructured, bool) {
	v, ok := view.(*objectView)
	if !ok {
		return nil, false
	}
	return v.all, true
}

func (v *objectView) Get(_ context.Context, ref Ref) (*unstructured.Unstructured, error) {
	if o, ok := v.byRef[ref.Identity()]; ok {
		return o, nil
	}
	return nil, apierrors.NewNotFound(schema.GroupResource{Group: ref.GroupKind().Group, Resource: ref.Kind}, ref.Name)
}

func (v *objectView) List(_ context.Context, kind schema.GroupKind, in Scope) ([]*unstructured.Unstructured, error) {
	all, known := v.byKind[kind]
	if !known && v.defines(kind) == nil && !kube.BuiltIn(kind) {
		return nil, &meta.NoKindMatchError{GroupKind: kind}
	}
	labelled, err := labels.Parse(in.Labels)
	if err != nil {
		return nil, fmt.Errorf("label selector %q: %w", in.Labels, err)
	}
	fielded, err := fields.ParseSelector(in.Fields)
	if err != nil {
		return nil, fmt.Errorf("field selector %q: %w", in.Fields, err)
	}
	paths, err := v.selectable(kind, fielded)
	if err != nil {
		return nil, err
	}
	name, named := fielded.RequiresExactMatch("metadata.name")
	alone := named && len(fielded.Requirements()) == 1
	var chosen []*unstructured.Unstructured
	for _, o := range all {
		if named && o.GetName() != name { // without its labels and fields, which take memory for each object
			continue
		}
		if (in.Namespace == "" || o.GetNamespace() == in.Namespace) && (labelled.Empty() || labelled.Matches(labels.Set(o.GetLabels()))) && (alone || fielded.Empty() || fielded.Matches(fieldsOf(o, paths))) {
			chosen = append(chosen, in.trim(o))
		}
	}
	return chosen, nil
}

// defines returns the CustomResourceDefinition among the objects that makes the kind, or nil.
func (v *objectView) defines(kind schema.GroupKind) *unstructured.Unstructured {
	for _, definition := range v.byKind[kube.CustomResourceDefinitionKind] {
		if kube.DefinedKind(definition) == kind {
			return definition
		}
	}
	return nil
}

func (v *objectView) Can(_ context.Context, verb string, kind schema.GroupKind, _ Scope) (bool, error) {
	return false, &ErrUnknowable{What: fmt.Sprintf("whether you may %s %s", verb, kind.Kind), Source: v.source}
}

func (v *objectView) Serves(_ context.Context, kind schema.GroupVersionKind) (bool, error) {
	if definition := v.defines(kind.GroupKind()); definition != nil {
		return slices.Contains(servedVersions(definition), kind.Version), nil
	}
	return false, &ErrUnknowable{What: "whether the server has " + kind.String(), Source: v.source}
}

func (v *objectView) Version(context.Context) (*version.Info, error) {
	if v.memory.Version == nil {
		return nil, &ErrUnknowable{What: "the Kubernetes version", Source: v.source}
	}
	return v.memory.Version, nil
}

func (v *objectView) Now(context.Context) (time.Time, error) {
	if v.memory.Now.IsZero() {
		return time.Time{}, &ErrUnknowable{What: "the time", Source: v.source}
	}
	return v.memory.Now, nil
}

func (v *objectView) Logs(_ context.Context, pod Ref, of LogScope) (string, error) {
	if log, ok := v.memory.Logs[pod.Identity()][of]; ok {
		return log, nil
	}
	return "", &ErrUnknowable{What: "what " + pod.String() + " logged", Source: v.source}
}

func (v *objectView) Raw(_ context.Context, path string) ([]byte, error) {
	if answer, ok := v.memory.Raw[path]; ok {
		return answer, nil
	}
	return nil, &ErrUnknowable{What: path, Source: v.source}
}
