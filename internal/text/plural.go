package text

import (
	"strconv"
	"strings"
)

// Plural returns a number with its noun: "1 pod", "3 pods", "2 policies", "4 storage classes".
func Plural(n int, noun string) string {
	return strconv.Itoa(n) + " " + Verb(n, noun, plural(noun))
}

// Verb returns one for 1 and many for every other number, as in Verb(n, "is", "are").
func Verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// plural returns the plural of a regular English noun.
func plural(noun string) string {
	stem, y := strings.CutSuffix(noun, "y")
	switch {
	case y && !strings.HasSuffix(stem, "a") && !strings.HasSuffix(stem, "e") && !strings.HasSuffix(stem, "o") && !strings.HasSuffix(stem, "u"):
		return stem + "ies"
	case strings.HasSuffix(noun, "s"), strings.HasSuffix(noun, "x"), strings.HasSuffix(noun, "ch"), strings.HasSuffix(noun, "sh"):
		return noun + "es"
	}
	return noun + "s"
}
