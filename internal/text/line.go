package text

import "strings"

// longestLine is how much of a foreign text's first line is shown.
const longestLine = 120

// FirstLine returns the first line of a text from elsewhere, shortened where it is long.
func FirstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	if len(line) > longestLine {
		line = strings.ToValidUTF8(line[:longestLine], "") + "..."
	}
	return line
}
