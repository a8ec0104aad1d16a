package kustomization

import (
	"context"
	"fmt"
	"path"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
)

// Build builds the kustomization in a folder of the tree. Several builds may run at once.
func (t *Tree) Build(ctx context.Context, folder string) ([]*unstructured.Unstructured, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	defer quiet()()
	built, err := krusty.MakeKustomizer(t.options()).Run(t, folder)
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

func (t *Tree) options() *krusty.Options {
	options := krusty.MakeDefaultOptions() // no plugins, no functions, no helm
	options.Reorder = krusty.ReorderOptionUnspecified
	options.LoadRestrictions = types.LoadRestrictionsRootOnly
	if t.Sealed || t.Unrestricted { // the releases' own kustomizations read files beside their folders, inside the archive
		options.LoadRestrictions = types.LoadRestrictionsNone
	}
	return options
}

// A BuildError is an error that only kustomize itself detects.
type BuildError struct {
	Folder string
	Why    string // kustomize's message, in one line
}

// Error returns a message with the folder.
func (e *BuildError) Error() string { return "building " + e.Folder + ": " + e.Why }

// explain returns the reference that could not be followed, or else the fault that diagnosis finds, or else
// the innermost of kustomize's errors, in one line.
func (t *Tree) explain(folder string, err error) error {
	t.mu.Lock()
	fault := t.fault
	t.mu.Unlock()
	if fault != nil {
		return fault
	}
	if outside := outsider(err); outside != nil {
		return outside
	}
	if named := (diagnosis{Tree: t}).folder(folder); named != nil {
		return named
	}
	name := t.name(folder)
	if name == "" {
		name = path.Base(folder)
	}
	return &BuildError{Folder: name, Why: innermost(err)}
}

// innermost leaves out the errors of kustomize's other attempts, for example that a file is not a folder.
func innermost(err error) string {
	line := strings.ReplaceAll(strings.Join(strings.Fields(err.Error()), " "), root+"/", "")
	for _, clutter := range []string{"accumulating resources: ", "accumulation err='", "json: ", ".[noGrp]", ".[noNs]", "Go struct field "} {
		line = strings.ReplaceAll(line, clutter, "")
	}
	line, _, _ = strings.Cut(line, "': must build at directory")
	const enough = 400
	if len(line) > enough {
		line = strings.ToValidUTF8(line[:enough], "") + " ..."
	}
	return line
}
