package gitops

import (
	"fmt"
	"path"
)

// flux returns the repository, and a Kustomization for each wave that waits for the one before. Flux must not prune: an object
// that is in another wave in a later release would be deleted by the Kustomization that had it.
func flux(o Options, waves int) map[string][]any {
	name := func(wave int) string { return fmt.Sprintf("%s-%02d", o.Name, wave) }
	documents := []any{map[string]any{
		"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
		"metadata": map[string]any{"name": o.Name, "namespace": "flux-system"},
		"spec":     map[string]any{"interval": "10m", "url": o.Repository, "ref": map[string]any{"branch": o.Revision}},
	}}
	for n := range waves {
		spec := map[string]any{
			"interval": "10m", "retryInterval": "1m", "timeout": "15m", "prune": false, "wait": true,
			"path":      "./" + path.Join(o.Path, folder(n)),
			"sourceRef": map[string]any{"kind": "GitRepository", "name": o.Name},
		}
		if n > 0 {
			spec["dependsOn"] = []any{map[string]any{"name": name(n - 1)}}
		}
		documents = append(documents, map[string]any{
			"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
			"metadata": map[string]any{"name": name(n), "namespace": "flux-system"},
			"spec":     spec,
		})
	}
	return map[string][]any{"flux.yaml": documents}
}
