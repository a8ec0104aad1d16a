package release

import (
	"fmt"
	"strings"
)

// nearest is the name that was most likely meant: one that the text begins, or that begins the text, or
// that is a slip or two away. It is empty when none is near.
func nearest(text string, names []string) string {
	text = strings.ToLower(strings.TrimSpace(text))
	best, far := "", len(text)/3+1
	for _, name := range names {
		if text == "" || name == "" {
			continue
		}
		d := slips(text, name)
		if d > 1 && len(text) > 2 && (strings.HasPrefix(name, text) || strings.HasPrefix(text, name)) {
			d = 1
		}
		if d < far || d == far && best == "" {
			best, far = name, d
		}
	}
	return best
}

// slips counts the letters to put in, take out or change to make one text the other.
func slips(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// orMeant adds a guess to what to do: "did you mean katib? Choose from …".
func orMeant(guess, otherwise string) string {
	if guess == "" {
		return otherwise
	}
	return fmt.Sprintf("did you mean %s? Otherwise %s", guess, otherwise)
}
