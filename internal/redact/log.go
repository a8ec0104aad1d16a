package redact

import (
	"regexp"
	"strings"
	"unicode"
)

// Log returns the lines of what a program logged, for the screen of whoever may read the cluster. A log is text of others with any
// content: besides what [Message] masks, every word is masked that looks generated, since credentials in logs seldom stand after
// their name. Each line has at most width characters.
func Log(log string, width int) []string {
	text := Message(joinedKeys.ReplaceAllString(Uncoloured(log), Masked))
	text = encodedRun.ReplaceAllString(text, Masked)
	text = logWord.ReplaceAllStringFunc(text, maskGenerated)
	lines := []string{}
	for line := range strings.Lines(text) {
		lines = append(lines, shortened(strings.TrimRight(line, "\r\n"), width))
	}
	return lines
}

// Uncoloured returns a text without the sequences by which programs colour their logs: between the name of a credential and its value
// they would hide the one from the other.
func Uncoloured(text string) string { return sequence.ReplaceAllString(text, "") }

var (
	sequence = regexp.MustCompile(`(?:\x1b\[|\x{9b})[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)|\x1b[@-Z\\^_]`)
	// The end of a key whose beginning is not in the part of the log that was read.
	joinedKeys = regexp.MustCompile(`(?:[A-Za-z0-9+/=]{16,}\s+)+-----END [A-Z0-9 ]*PRIVATE KEY-----`)
	encodedRun = regexp.MustCompile(`(?:%[0-9A-Fa-f]{2}){4,}`)
	logWord    = regexp.MustCompile(`[\p{L}\p{M}\p{N}+/=_.~-]{8,}`)
	part       = regexp.MustCompile(`[\p{L}\p{M}\p{N}]+`)
	identifier = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`) // a UID
	anyUID     = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	epoch      = regexp.MustCompile(`^1[5-9][0-9]{11}([0-9]{6})?$`) // milliseconds or nanoseconds
	hexDigits  = regexp.MustCompile(`^[0-9a-f]+$|^[0-9A-F]+$`)
)

// maskGenerated masks a word of a log if a part of it looks generated: signs within belong to it, as in base64.
func maskGenerated(word string) string {
	if identifier.MatchString(word) || Known(word) || timestamp.MatchString(word) {
		return word
	}
	for _, run := range part.FindAllString(anyUID.ReplaceAllString(word, ""), -1) {
		if generated(run) {
			return Masked
		}
	}
	return word
}

// generated reports whether no person would write this word, and no programmer a name like it.
func generated(run string) bool {
	if issued.MatchString(run) {
		return true
	}
	if numberOnly.MatchString(run) {
		return len(run) > 12 && !epoch.MatchString(run)
	}
	if len(run) < 8 {
		return false
	}
	if scripts(run) > 2 {
		return true
	}
	letters := digit.ReplaceAllString(run, "")
	digits := len(run) - len(letters)
	if hexDigits.MatchString(run) && digits > 0 {
		return len(run) >= 16
	}
	if strings.ToLower(run) == run || strings.ToUpper(run) == run {
		return digits > 3 && len(run) >= 16 || len(letters) > longestAbbreviation && lettersOnly.MatchString(letters) && !vowel.MatchString(letters)
	}
	long := 0
	for _, word := range splitCamel(letters) {
		if words()[strings.ToLower(word)] || digits == 0 && pronounced(word) {
			long += len(word)
		}
	}
	return lettersOnly.MatchString(letters) && long*5 < len(letters)*4
}

// pronounced reports whether a part of a name could be a word.
func pronounced(part string) bool {
	return len(part) > 3 && strings.ToUpper(part) != part && len(vowel.FindAllString(part, -1))*5 >= len(part)
}

// scripts counts the scripts that a word mixes: no language writes a word in three. Chinese and Japanese count as one.
func scripts(word string) int {
	seen := map[string]bool{}
	for _, r := range word {
		switch {
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul):
			seen["east"] = true
		case unicode.Is(unicode.Latin, r):
			seen["latin"] = true
		case unicode.Is(unicode.Cyrillic, r):
			seen["cyrillic"] = true
		case unicode.IsLetter(r):
			seen["other"] = true
		}
	}
	return len(seen)
}

// shortened cuts a line that is too long.
func shortened(line string, width int) string {
	if runes := []rune(line); len(runes) > width {
		return string(runes[:width]) + "..."
	}
	return line
}
