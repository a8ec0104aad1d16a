package release

import (
	"context"
	"path"
	"regexp"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/kfdef"
)

// reaching are the fields of a kustomization that apply across its resources: with only some of the
// resources they fail or have another result.
var reaching = []string{"components", "configMapGenerator", "crds", "generators", "patchesStrategicMerge", "replacements", "secretGenerator", "transformers", "vars"}

// inseparable reports whether a kustomization must be built as a whole.
func inseparable(top map[string]any) bool {
	for _, field := range reaching {
		if len(kfdef.List(top[field])) > 0 {
			return true
		}
	}
	return slices.ContainsFunc(kfdef.List(top["patches"]), func(patch any) bool {
		fields, _ := patch.(map[string]any)
		return fields["target"] == nil // then its object must exist
	})
}

// partsOfWhole builds a kustomization as a whole and assigns each object to the component whose resources
// contain it. It takes twice as long as building only the components, so it is used only where necessary.
func (r *rendering) partsOfWhole(ctx context.Context, a *archive.Archive, s split, components []Component) ([]part, error) {
	var all []string
	for _, component := range components {
		all = append(all, component.From...)
	}
	whole := part{name: "whole", folders: []string{s.folder(all...)}}
	s.top = map[string]any{}
	parts := []part{whole}
	for _, component := range components {
		component.Beside = nil // nothing is missing in a build of the whole
		parts = append(parts, s.part(component))
	}
	parts, err := s.mounted(r, a, parts)
	if err != nil {
		return nil, err
	}
	built, err := r.buildAll(ctx, parts)
	if err != nil {
		return nil, err
	}
	return shareOut(parts[1:], built[0], built[1:]), nil
}

// buildAll builds the folders of parts, one list of objects for each part.
func (r *rendering) buildAll(ctx context.Context, parts []part) ([][]*unstructured.Unstructured, error) {
	out := make([][]*unstructured.Unstructured, len(parts))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, p := range parts {
		group.Go(func() error {
			for _, folder := range p.folders {
				objects, err := r.tree.Build(ctx, folder)
				if err != nil {
					return err
				}
				out[i] = append(out[i], objects...)
			}
			return nil
		})
	}
	return out, group.Wait()
}

// shareOut assigns the objects of the whole to the parts that have them. Objects of no part, which the
// whole adds, are assigned to the first.
func shareOut(parts []part, whole []*unstructured.Unstructured, own [][]*unstructured.Unstructured) []part {
	whose := map[string]int{}
	for i, objects := range own {
		for _, object := range objects {
			whose[unhashed(object)] = i
		}
	}
	for i := range parts {
		parts[i].folders, parts[i].beside = nil, nil
	}
	for _, object := range whole {
		i := whose[unhashed(object)] // the first if no part has it
		parts[i].objects = append(parts[i].objects, object)
	}
	return slices.DeleteFunc(parts, func(p part) bool { return len(p.objects) == 0 })
}

// hash is the content hash that kustomize appends to the name of a generated object.
var hash = regexp.MustCompile(`-[bcdfghkmt2456789]{10}$`)

// unhashed returns an object's identity without the hash of its content.
func unhashed(object *unstructured.Unstructured) string {
	return path.Join(object.GroupVersionKind().String(), object.GetNamespace(), hash.ReplaceAllString(object.GetName(), ""))
}
