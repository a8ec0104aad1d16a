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

// reaching are the fields of a kustomization that reach across its resources: with only some of them
// they fail or say something else.
var reaching = []string{"components", "configMapGenerator", "crds", "generators", "patchesStrategicMerge", "replacements", "secretGenerator", "transformers", "vars"}

// inseparable reports whether a kustomization must be built at once to be right.
func inseparable(top map[string]any) bool {
	for _, field := range reaching {
		if len(kfdef.List(top[field])) > 0 {
			return true
		}
	}
	return slices.ContainsFunc(kfdef.List(top["patches"]), func(patch any) bool {
		fields, _ := patch.(map[string]any)
		return fields["target"] == nil // then it must find its object
	})
}

// partsOfWhole builds a kustomization at once and gives each object to the component whose resources make
// it. It takes twice as long as building the components alone, so it is only for what needs it.
func (r *rendering) partsOfWhole(ctx context.Context, a *archive.Archive, s split, components []Component) ([]part, error) {
	var all []string
	for _, component := range components {
		all = append(all, component.From...)
	}
	whole := part{name: "whole", folders: []string{s.folder(all...)}}
	s.top = map[string]any{}
	parts := []part{whole}
	for _, component := range components {
		component.Beside = nil // built at once, nothing is missing
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

// shareOut gives the objects of the whole to the parts that have them. What is in no part, because the
// whole itself adds it, goes to the first.
func shareOut(parts []part, whole []*unstructured.Unstructured, own [][]*unstructured.Unstructured) []part {
	whose := map[string]int{}
	for i, objects := range own {
		for _, object := range objects {
			whose[unhashed(object)] = i
		}
	}
	for i := range parts {
		parts[i].folders, parts[i].beside, parts[i].key = nil, nil, ""
	}
	for _, object := range whole {
		i := whose[unhashed(object)] // the first when it is in none
		parts[i].objects = append(parts[i].objects, object)
	}
	return slices.DeleteFunc(parts, func(p part) bool { return len(p.objects) == 0 })
}

// hash is what kustomize puts behind the name of a generated object, by its content.
var hash = regexp.MustCompile(`-[bcdfghkmt2456789]{10}$`)

// unhashed is an object's identity without what depends on its content.
func unhashed(object *unstructured.Unstructured) string {
	return path.Join(object.GroupVersionKind().String(), object.GetNamespace(), hash.ReplaceAllString(object.GetName(), ""))
}
