package kube

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// The functions below read a field of an object, tolerating whatever is there: what has another type counts as missing.
// What they return is not copied.

// Items returns the objects in a list.
func Items(o map[string]any, path ...string) []map[string]any {
	field, _, _ := unstructured.NestedFieldNoCopy(o, path...)
	list, _ := field.([]any)
	var out []map[string]any
	for _, item := range list {
		if m, ok := item.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// Map returns an object field, nil when it is missing.
func Map(o map[string]any, path ...string) map[string]any {
	field, _, _ := unstructured.NestedFieldNoCopy(o, path...)
	m, _ := field.(map[string]any)
	return m
}

// Text returns a string field, "" when it is missing.
func Text(o map[string]any, path ...string) string {
	s, _, _ := unstructured.NestedString(o, path...)
	return s
}

// Texts returns a list of strings.
func Texts(o map[string]any, path ...string) []string {
	list, _, _ := unstructured.NestedStringSlice(o, path...)
	return list
}

// Number returns a whole number, 0 when it is missing.
func Number(o map[string]any, path ...string) int64 {
	n, _, _ := unstructured.NestedInt64(o, path...)
	return n
}

// Flag returns a boolean field, false when it is missing.
func Flag(o map[string]any, path ...string) bool {
	b, _, _ := unstructured.NestedBool(o, path...)
	return b
}
