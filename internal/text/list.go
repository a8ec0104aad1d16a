package text

import (
	"fmt"
	"strings"
)

// And joins words as in a sentence: "a", "a and b", "a, b and c".
func And(words ...string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// List joins words as And does; of more than most it names the first ones and counts the others: "a, b and 3 more".
// It never counts a single one: naming it takes no more room.
func List(words []string, most int) string {
	if more := len(words) - most; more > 1 {
		return fmt.Sprintf("%s and %d more", strings.Join(words[:most], ", "), more)
	}
	return And(words...)
}

// Names is List of what name returns for each item.
func Names[T any](items []T, most int, name func(T) string) string {
	words := make([]string, 0, len(items))
	for _, item := range items {
		words = append(words, name(item))
	}
	return List(words, most)
}

// Lines returns the first lines, and in place of the others one that counts them: "and 3 more". It does not change lines.
func Lines(lines []string, most int) []string {
	if more := len(lines) - most; more > 0 {
		return append(lines[:most:most], fmt.Sprintf("and %d more", more))
	}
	return lines
}
