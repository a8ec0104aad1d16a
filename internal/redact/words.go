package redact

import (
	_ "embed"
	"regexp"
	"strings"
	"sync"
	"unicode"
)

// words.txt holds the words of the API documentation of Kubernetes and of this program. A text that consists of them, and of
// short numbers, carries no secret, as a secret that consists of them would be guessed first.
//
//go:embed words.txt
var wordList string

var words = sync.OnceValue(func() map[string]bool {
	known := map[string]bool{}
	for word := range strings.Lines(wordList) {
		known[strings.TrimSpace(word)] = true
	}
	return known
})

const (
	maxNumber = 5 // the digits of a number: a port, a size, an exit code
	maxDigits = 8 // the digits of all numbers in one word: a card number in groups of four has more
)

// Known reports whether a text consists of known words, separators and short numbers only: "oauth2-proxy", "CrashLoopBackOff".
func Known(text string) bool {
	digits := 0
	if strings.Contains(text, "'") {
		text = contraction.ReplaceAllString(text, "")
	}
	for _, run := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		n, ok := knownRun(run)
		if digits += n; !ok || digits > maxDigits {
			return false
		}
	}
	return true
}

var (
	numberOnly  = regexp.MustCompile(`^[0-9]+$`)
	lettersOnly = regexp.MustCompile(`^[A-Za-z]+$`)
	contraction = regexp.MustCompile(`'(t|s|re|ve|ll|d)\b`)
)

// spellings are words in the case that their owners chose.
var spellings = setOf("IPv4", "IPv6", "OAuth2", "oAuth2")

// knownRun judges letters and digits without a separator, and returns how many digits of numbers it has.
func knownRun(run string) (digits int, ok bool) {
	if numberOnly.MatchString(run) {
		return len(run), len(run) <= maxNumber
	}
	if sameCase(run) && (strings.Contains("aAiIoO", run) && len(run) == 1 || words()[strings.ToLower(run)]) {
		return 0, true
	}
	return 0, spellings[run] || lettersOnly.MatchString(run) && camelWords(run)
}

// sameCase reports whether a word is written as words are: "node", "Node", "NODE". Mixed case would let a secret spell a word.
func sameCase(word string) bool {
	rest := []rune(word)[1:]
	upper := strings.IndexFunc(string(rest), unicode.IsUpper) >= 0
	lower := strings.IndexFunc(word, unicode.IsLower) >= 0
	return !upper || !lower
}

// camelWords takes a word such as "CrashLoopBackOff" or "OOMKilled" apart.
func camelWords(run string) bool {
	parts := splitCamel(run)
	if len(parts) < 2 || len(parts) > 12 {
		return false
	}
	for _, part := range parts {
		part = strings.ToLower(part)
		if len(part) < 2 || !words()[part] && !words()[strings.TrimSuffix(part, "s")] {
			return false
		}
	}
	return true
}

// splitCamel splits before each capital letter that begins a word: "OOMKilled" is "OOM", "Killed".
func splitCamel(run string) []string {
	var parts []string
	start := 0
	for i := 1; i < len(run); i++ {
		up := unicode.IsUpper(rune(run[i]))
		plural := i+1 < len(run) && run[i+1] == 's' && (i+2 == len(run) || unicode.IsUpper(rune(run[i+2]))) // URIs
		beginsWord := up && (!unicode.IsUpper(rune(run[i-1])) || !plural && i+1 < len(run) && unicode.IsLower(rune(run[i+1])))
		if beginsWord {
			parts, start = append(parts, run[start:i]), i
		}
	}
	return append(parts, run[start:])
}
