package auth

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// Keep returns an object as it should be applied if the one on the cluster has rotated secrets: with these instead of the
// defaults, so that installing again does not bring the defaults back. nil when there is nothing to keep.
func Keep(wanted, live *unstructured.Unstructured) *unstructured.Unstructured {
	kept := wanted.DeepCopy()
	changed := false
	switch wanted.GetKind() {
	case "Secret":
		for _, key := range keysOf(wanted) {
			now := secretValue(live, key)
			if before := manifestValue(wanted, key); Known(before) && now != "" && now != before && !Known(now) {
				setSecretValue(kept, key, now)
				unstructured.RemoveNestedField(kept.Object, "stringData", key) // it takes precedence
				changed = true
			}
		}
	case "ConfigMap":
		file, theirs := kube.Text(wanted.Object, "data", dexFile), cluster.PasswordHash.FindAllString(kube.Text(live.Object, "data", dexFile), -1)
		own := slices.IndexFunc(theirs, func(hash string) bool { return !IsDefaultHash(hash) })
		if own < 0 {
			return nil
		}
		after := cluster.PasswordHash.ReplaceAllStringFunc(file, func(hash string) string {
			if IsDefaultHash(hash) {
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

// CarryPassword returns the Secret that holds the default user's password from 1.9 on with the password that dex's configuration holds before; nil
// if the user has the default one there, or none.
func CarryPassword(wanted, config *unstructured.Unstructured) *unstructured.Unstructured {
	if config == nil || wanted.GetKind() != "Secret" || !IsDefaultHash(manifestValue(wanted, passwordKey)) {
		return nil
	}
	var dex struct {
		StaticPasswords []struct{ Email, Hash string } `json:"staticPasswords"`
	}
	if err := bounded.Unmarshal(kube.Text(config.Object, "data", dexFile), &dex); err != nil {
		return nil
	}
	for _, user := range dex.StaticPasswords {
		if user.Email == defaultUser && cluster.PasswordHash.MatchString(user.Hash) && !IsDefaultHash(user.Hash) {
			kept := wanted.DeepCopy()
			setSecretValue(kept, passwordKey, user.Hash)
			unstructured.RemoveNestedField(kept.Object, "stringData", passwordKey)
			return kept
		}
	}
	return nil
}

// defaultUser is the user that every Kubeflow comes with.
const defaultUser = "user@example.com"

// Known reports whether a value is a default secret of Kubeflow, or a hash of its default password.
func Known(value string) bool { return shippedSecrets[digest(value)] != "" || IsDefaultHash(value) }

// HasKnown reports whether a manifest contains such a value.
func HasKnown(o *unstructured.Unstructured) bool {
	switch o.GetKind() {
	case "Secret":
		return slices.ContainsFunc(keysOf(o), func(key string) bool { return Known(manifestValue(o, key)) })
	case "ConfigMap":
		return slices.ContainsFunc(cluster.PasswordHash.FindAllString(kube.Text(o.Object, "data", dexFile), -1), IsDefaultHash)
	}
	return false
}

// manifestValue returns the value of a key in the manifest of a Secret, which may be in either of its fields.
func manifestValue(secret *unstructured.Unstructured, key string) string {
	if plain := kube.Text(secret.Object, "stringData", key); plain != "" {
		return plain
	}
	return secretValue(secret, key)
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
