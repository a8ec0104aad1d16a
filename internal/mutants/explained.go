package mutants

import (
	"slices"
	"strings"
)

// Explained reports whether one of the texts names the object that is broken, or one that refers to it, and the name, value or field.
func (m Mutant) Explained(findings []string) bool {
	about := []string{m.Before.GetName()}
	for _, place := range m.Users {
		about = append(about, place.Object.GetName())
	}
	broken := []string{lastKey(m.Path)}
	if m.refers() {
		broken = []string{m.Was, m.Now}
	}
	return slices.ContainsFunc(findings, func(text string) bool { return mentionsAny(text, about) && mentionsAny(text, broken) })
}

// refers reports whether the mutant is one of [References].
func (m Mutant) refers() bool {
	for _, word := range []string{"broken", "renamed", "deleted", "changed"} {
		if strings.HasPrefix(m.Kind, word) {
			return true
		}
	}
	return false
}

func mentionsAny(text string, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return w != "" && strings.Contains(text, w) })
}

// lastKey returns the name of the field at the end of a path.
func lastKey(path string) string {
	path = shape(path)
	path = strings.TrimRight(strings.ReplaceAll(path, "[]", ""), ".")
	return path[strings.LastIndexByte(path, '.')+1:]
}
