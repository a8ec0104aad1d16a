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

// Closest is the name with the smallest edit distance from a text, as a slip makes it: at most a third of its length. Unlike [Nearest] it
// tells capitals from small letters, and prefers none that is only a part. It is empty when none is close.
func Closest(text string, names []string) string {
	best, fewest := "", len(text)/3+1
	for _, name := range names {
		if max(len(name)-len(text), len(text)-len(name)) >= fewest {
			continue
		}
		if d := levenshtein.ComputeDistance(text, name); d < fewest {
			best, fewest = name, d
		}
	}
	return best
}

// Within is a name that is the beginning or the end of a text and at least half of it, or the other way round, as when something was
// renamed: "dashboard" and "centraldashboard". It is empty when there is none, or more than one.
func Within(text string, names []string) string {
	found := ""
	for _, name := range names {
		short, long := text, name
		if len(short) > len(long) {
			short, long = long, short
		}
		if len(short) < 6 || 2*len(short) < len(long) || !strings.HasPrefix(long, short) && !strings.HasSuffix(long, short) {
			continue
		}
		if found != "" {
			return ""
		}
		found = name
	}
	return found
}

// DidYouMean adds a guess to what to do: "did you mean katib? Choose from …".
func DidYouMean(guess, otherwise string) string {
	if guess == "" {
		return otherwise
	}
	return fmt.Sprintf("did you mean %s? Otherwise %s", guess, otherwise)
}
