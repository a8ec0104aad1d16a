package appdir

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/resid"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// An Edit is a user's change that does not apply. What is the rest of a sentence that begins with the
// component's folder, or with the configuration if there is no component.
type Edit struct {
	Component string `json:"component,omitempty"`
	What      string `json:"what"`
	// Broken says that the component cannot be built with it; otherwise it has no effect.
	Broken bool `json:"broken,omitempty"`
}

// Sentence returns the complete sentence.
func (e Edit) Sentence() string {
	if e.Component == "" {
		return configFile + " " + e.What
	}
	return path.Join(kustomize, e.Component) + " " + e.What
}

// stale finds the patches and images that match nothing: kustomize ignores them silently.
func (d *Dir) stale(built []release.RenderedComponent) []Edit {
	if d.KfDef != "" {
		return nil
	}
	var edits []Edit
	seen := map[string]bool{}
	for _, name := range d.Config.Components {
		var objects []*unstructured.Unstructured
		for _, c := range built {
			if c.Name == name {
				objects = c.Objects
			}
		}
		content := d.files[userFile(name)]
		if objects == nil || d.untouched(name) && len(d.Config.Images) == 0 {
			continue
		}
		before := d.baseObjects(name)
		images := imagesOf(append(slices.Clone(before), objects...))
		for image := range images {
			seen[image] = true
		}
		var k types.Kustomization
		if yaml.Unmarshal(content, &k) != nil {
			continue // it was not built
		}
		for _, what := range idle(k, append(before, objects...), images) {
			edits = append(edits, Edit{Component: name, What: what})
		}
	}
	return append(edits, d.idleImages(seen)...)
}

// idle describes what in a kustomization matches none of the objects.
func idle(k types.Kustomization, objects []*unstructured.Unstructured, images map[string]bool) []string {
	var out []string
	//lint:ignore SA1019 a user's kustomization may still have the old field
	for _, patch := range append(slices.Clone(k.Patches), k.PatchesJson6902...) {
		if patch.Target != nil && !slices.ContainsFunc(objects, func(o *unstructured.Unstructured) bool { return meets(patch.Target, o) }) {
			out = append(out, fmt.Sprintf("has a patch of %s, and there is no such object", target(patch.Target)))
		}
	}
	for _, image := range k.Images {
		if !images[image.Name] && !images[image.NewName] {
			out = append(out, fmt.Sprintf("replaces the image %s, and none of its objects has it", image.Name))
		}
	}
	return out
}

func (d *Dir) idleImages(seen map[string]bool) []Edit {
	var out []Edit
	for _, image := range d.Config.Images {
		if !seen[image.Name] && !seen[image.NewName] {
			out = append(out, Edit{What: fmt.Sprintf("replaces the image %s, and none of the objects has it", image.Name)})
		}
	}
	return out
}

// meets reports whether a patch's target selects an object.
func meets(selector *types.Selector, o *unstructured.Unstructured) bool {
	regex, err := types.NewSelectorRegex(selector)
	if err != nil {
		return true // kustomize has rejected it
	}
	kind := o.GroupVersionKind()
	if !regex.MatchGvk(resid.NewGvk(kind.Group, kind.Version, kind.Kind)) || !regex.MatchName(o.GetName()) || !regex.MatchNamespace(o.GetNamespace()) {
		return false
	}
	return chosen(selector.LabelSelector, o.GetLabels()) && chosen(selector.AnnotationSelector, o.GetAnnotations())
}

func chosen(selector string, of map[string]string) bool {
	parsed, err := labels.Parse(selector)
	return err != nil || parsed.Matches(labels.Set(of))
}

func target(s *types.Selector) string {
	var words []string
	for _, word := range []string{s.Kind, path.Join(s.Namespace, s.Name)} {
		if word != "" {
			words = append(words, word)
		}
	}
	if s.LabelSelector != "" {
		words = append(words, "with labels "+s.LabelSelector)
	}
	if s.AnnotationSelector != "" {
		words = append(words, "with annotations "+s.AnnotationSelector)
	}
	return strings.Join(words, " ")
}

// imagesOf returns the names, without tag and digest, of all images in pods and pod templates.
func imagesOf(objects []*unstructured.Unstructured) map[string]bool {
	images := map[string]bool{}
	for _, o := range objects {
		collect(o.Object, images)
	}
	return images
}

func collect(value any, images map[string]bool) {
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			collect(item, images)
		}
	case map[string]any:
		for key, item := range v {
			if text, ok := item.(string); ok && key == "image" {
				images[imageName(text)] = true
			} else {
				collect(item, images)
			}
		}
	}
}

func imageName(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if colon := strings.LastIndex(image, ":"); colon > strings.LastIndex(image, "/") {
		image = image[:colon]
	}
	return image
}

// baseObjects returns the objects of a component's base.
func (d *Dir) baseObjects(component string) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	content := string(d.files[path.Join(baseFolder(component), "resources.yaml")])
	for document := range strings.SplitSeq(strings.TrimPrefix(content, "---\n"), "\n---\n") {
		o := &unstructured.Unstructured{}
		if yaml.Unmarshal([]byte(document), &o.Object) == nil && o.GetKind() != "" {
			out = append(out, o)
		}
	}
	return out
}
