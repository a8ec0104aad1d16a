package text

import (
	"fmt"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Nearest is the name that was most likely meant: one that the text begins, or that begins the text, or
// that is a slip or two away. It is empty when none is near.
func Nearest(text string, names []string) string {
	text = strings.ToLower(strings.TrimSpace(text))
	best, far := "", len(text)/3+1
	for _, name := range names {
		if text == "" || name == "" {
			continue
		}
		d := levenshtein.ComputeDistance(text, name)
		if d > 1 && len(text) > 2 && (strings.HasPrefix(name, text) || strings.HasPrefix(text, name)) {
			d = 1
		}
		if d < far || d == far && best == "" {
			best, far = name, d
		}
	}
	return best
}

// DidYouMean adds a guess to what to do: "did you mean katib? Choose from …".
func DidYouMean(guess, otherwise string) string {
	if guess == "" {
		return otherwise
	}
	return fmt.Sprintf("did you mean %s? Otherwise %s", guess, otherwise)
}
