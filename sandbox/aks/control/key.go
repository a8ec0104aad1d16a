package control

import "k8s.io/client-go/tools/cache"

// Key names an object by its namespace and name.
func Key(object any) []string {
	key, err := cache.MetaNamespaceKeyFunc(object)
	if err != nil {
		return nil
	}
	return []string{key}
}

// Always returns the same key for every event, for loops that reconcile
// everything at once.
func Always(key string) func(any) []string {
	return func(any) []string { return []string{key} }
}
