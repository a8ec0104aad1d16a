package kustomization

import (
	"context"
	"path"
	"path/filepath"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"
)

const originAnnotation = "config.kubernetes.io/origin"

// Origin returns the file that an object of a build came from, "" if that is not known. It builds once more, with kustomize's record of
// origins, because that costs time and adds annotations: it is for messages about an object.
func (t *Tree) Origin(ctx context.Context, folder string, wanted *unstructured.Unstructured) string {
	if ctx.Err() != nil {
		return ""
	}
	file := (diagnosis{Tree: t}).kustomizationFile(folder)
	t.mu.Lock()
	t.origins = file
	t.mu.Unlock()
	defer func() { // later builds must not add the annotations
		t.mu.Lock()
		t.origins = ""
		t.mu.Unlock()
	}()
	defer quiet()()
	built, err := krusty.MakeKustomizer(t.options()).Run(t, folder)
	if err != nil {
		return ""
	}
	for _, resource := range built.Resources() {
		if resource.GetKind() != wanted.GetKind() || resource.GetName() != wanted.GetName() {
			continue
		}
		var origin struct {
			Path         string `json:"path"`
			ConfiguredIn string `json:"configuredIn"`
		}
		if yaml.Unmarshal([]byte(resource.GetAnnotations()[originAnnotation]), &origin) != nil || origin.Path+origin.ConfiguredIn == "" {
			continue
		}
		if origin.Path == "" {
			origin.Path = origin.ConfiguredIn // the generator's kustomization
		}
		return t.name(path.Join(folder, origin.Path))
	}
	return ""
}

// recordOrigins asks kustomize for the origins of a build's objects, in its top kustomization.
func recordOrigins(content []byte) ([]byte, error) {
	return edited(content, func(fields map[string]any) bool {
		list, _ := fields["buildMetadata"].([]any)
		fields["buildMetadata"] = append(list, types.OriginAnnotations)
		return true
	})
}

func (t *Tree) wantsOrigins(name string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.origins != "" && filepath.ToSlash(name) == t.origins
}
