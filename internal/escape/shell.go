package escape

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Word returns text as one word of a shell's command line. Text that a shell takes as it is stays as it is.
func Word(text string) string {
	switch {
	case text != "" && strings.Trim(text, harmless) == "" && !strings.ContainsAny(text[:1], "=~"):
		return text
	case strings.ContainsFunc(text, func(r rune) bool { return !printable(r) }) || !utf8.ValidString(text):
		return ansiC(text)
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

const harmless = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,@%+"

// ansiC quotes text with control characters as $'...', which bash, zsh and ksh read.
func ansiC(text string) string {
	var out strings.Builder
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\'' || c == '\\':
			out.WriteString(`\` + string(c))
		case c < ' ' || c > '~':
			fmt.Fprintf(&out, `\x%02x`, c)
		default:
			out.WriteByte(c)
		}
	}
	// A hexadecimal escape has at most two digits, so what follows is not part of it.
	return "$'" + out.String() + "'"
}

// Words returns the words of a command line, quoted where needed.
func Words(words ...string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = Word(word)
	}
	return strings.Join(quoted, " ")
}

// Commandf formats a command that a person copies: each argument that is text becomes one word.
func Commandf(format string, args ...any) string {
	quoted := make([]any, len(args))
	for i, arg := range args {
		switch arg := arg.(type) {
		case int, int32, int64, uint16:
			quoted[i] = arg
		case string:
			quoted[i] = Word(arg)
		default:
			quoted[i] = Word(fmt.Sprint(arg))
		}
	}
	return fmt.Sprintf(format, quoted...)
}
