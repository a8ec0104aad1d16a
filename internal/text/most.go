package text

import (
	"slices"
	"strings"
)

// Distinct joins the reasons of several nodes, each once.
func Distinct(reasons []string) string {
	slices.Sort(reasons)
	return strings.Join(slices.Compact(reasons), ", ")
}

const Most = 4 // of many objects, a message names this many
