package auth

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// Keep returns an object as it should be applied where the one on the cluster has secrets of its own: with these in the place
// of those that every Kubeflow comes with, so that installing again does not open the sign-in to everybody. nil when there
// is nothing to keep.
func Keep(wanted, live *unstructured.Unstructured) *unstructured.Unstructured {
	kept := wanted.DeepCopy()
	changed := false
	switch wanted.GetKind() {
	case "Secret":
		for _, key := range keysOf(wanted) {
			now := held(live, key)
			if before := brought(wanted, key); Known(before) && now != "" && now != before && !Known(now) {
				hold(kept, key, now)
				unstructured.RemoveNestedField(kept.Object, "stringData", key) // it would win
				changed = true
			}
		}
	case "ConfigMap":
		file, theirs := kube.Text(wanted.Object, "data", dexFile), cluster.PasswordHash.FindAllString(kube.Text(live.Object, "data", dexFile), -1)
		own := slices.IndexFunc(theirs, func(hash string) bool { return !hashOfShipped(hash) })
		if own < 0 {
			return nil
		}
		after := cluster.PasswordHash.ReplaceAllStringFunc(file, func(hash string) string {
			if hashOfShipped(hash) {
				changed = true
				return theirs[own]
			}
			return hash
		})
		_ = unstructured.SetNestedField(kept.Object, after, "data", dexFile)
	}
	if !changed {
		return nil
	}
	return kept
}

// Known tells whether a value is a secret that every Kubeflow comes with, or the hash of the password that it comes with.
func Known(value string) bool { return shippedSecrets[digest(value)] != "" || hashOfShipped(value) }

// HasKnown tells whether manifests bring such a value with this object.
func HasKnown(o *unstructured.Unstructured) bool {
	switch o.GetKind() {
	case "Secret":
		return slices.ContainsFunc(keysOf(o), func(key string) bool { return Known(brought(o, key)) })
	case "ConfigMap":
		return slices.ContainsFunc(cluster.PasswordHash.FindAllString(kube.Text(o.Object, "data", dexFile), -1), hashOfShipped)
	}
	return false
}

// brought returns what manifests put under a key of a Secret, which may be in either of its fields.
func brought(secret *unstructured.Unstructured, key string) string {
	if plain := kube.Text(secret.Object, "stringData", key); plain != "" {
		return plain
	}
	return held(secret, key)
}

func keysOf(secret *unstructured.Unstructured) []string {
	keys := map[string]bool{}
	for _, field := range []string{"data", "stringData"} {
		values, _, _ := unstructured.NestedMap(secret.Object, field)
		for key := range values {
			keys[key] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}
