package text

import (
	"unicode"
	"unicode/utf8"
)

// Capitalized returns a sentence that starts with a capital letter.
func Capitalized(sentence string) string {
	first, size := utf8.DecodeRuneInString(sentence)
	if size == 0 {
		return sentence
	}
	return string(unicode.ToUpper(first)) + sentence[size:]
}
