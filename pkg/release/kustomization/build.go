package kustomization

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
)

// Version changes whenever the same content would be built into something else, so that objects
// kept from an earlier build are not used.
const Version = "kustomize-0.21.1/2"

// Build builds the kustomization in a folder of the tree. Several builds may run at once.
func (t *Tree) Build(ctx context.Context, folder string) ([]*unstructured.Unstructured, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	options := krusty.MakeDefaultOptions() // no plugins, no functions, no helm
	options.Reorder = krusty.ReorderOptionUnspecified
	options.LoadRestrictions = types.LoadRestrictionsNone
	defer quiet()()
	built, err := krusty.MakeKustomizer(options).Run(t, folder)
	if err != nil {
		return nil, t.explain(folder, err)
	}
	objects := make([]*unstructured.Unstructured, 0, built.Size())
	for _, resource := range built.Resources() {
		one, err := object(resource.YNode())
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", resource.CurId(), err)
		}
		objects = append(objects, one)
	}
	return objects, nil
}

// explain prefers the reference that could not be followed to what kustomize made of it, and
// otherwise the innermost of its nested complaints, in one line.
func (t *Tree) explain(folder string, err error) error {
	t.mu.Lock()
	fault := t.fault
	t.mu.Unlock()
	if fault != nil {
		return fault
	}
	name := t.name(folder)
	if name == "" {
		name = path.Base(folder)
	}
	line := strings.Join(strings.Fields(err.Error()), " ")
	line = strings.ReplaceAll(line, root+"/", "")
	const enough = 600
	if len(line) > enough {
		line = line[:enough] + " …"
	}
	return fmt.Errorf("building %s: %w", name, errors.New(line))
}
