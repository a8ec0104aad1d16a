package escape

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// printable reports whether a character can be shown as it is: letters, marks, numbers, punctuation, symbols and spaces. It
// leaves out all controls, also those of direction (U+202E), of format (U+200B) and of lines (U+2028), and private characters.
func printable(r rune) bool { return unicode.IsGraphic(r) }

// escaped returns a character as readers of any language recognise it.
func escaped(r rune) string {
	switch {
	case r < 0x100:
		return fmt.Sprintf(`\x%02x`, r)
	case r < 0x10000:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}

// secret marks this program's own sequences. Nobody else knows it, so nothing else passes a Writer.
var secret = func() string {
	number, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		panic(err) // it never fails
	}
	return number.String()
}()

// own matches this program's sequences: a style, the cursor to a line before, clear from here.
var own = regexp.MustCompile(`\x1b\[([0-9]+);` + secret + `([mFJ])`)

// Style returns the sequence that starts a style ("31" is red), "0" ends all. Only a [Writer] shows it.
func Style(code string) string { return "\x1b[" + code + ";" + secret + "m" }

// Over returns the sequences that move the cursor to the beginning of a row some rows up and clear from there. The beginning, because
// a terminal echoes ^C and what else is typed meanwhile.
func Over(rows int) string {
	return "\x1b[" + strconv.Itoa(rows) + ";" + secret + "F" + "\x1b[0;" + secret + "J"
}

// Unstyled returns a text without this program's own sequences.
func Unstyled(text string) string { return own.ReplaceAllString(text, "") }

// A Writer neutralises what is written to a terminal or a pipe. It may be used by several goroutines.
type Writer struct {
	mu   sync.Mutex
	to   io.Writer
	rest []byte // the beginning of a character that the next Write completes
	mask func(string) string

	before func(text []byte)
}

// Terminal returns a writer in front of another.
func Terminal(to io.Writer) *Writer { return &Writer{to: to} }

// Masking makes a Writer pass its text through a function first. It returns the Writer.
func (w *Writer) Masking(mask func(string) string) *Writer {
	w.mask = mask
	return w
}

// Before makes a Writer call a function with each text before it writes it.
func (w *Writer) Before(f func(text []byte)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.before = f
}

// Underlying returns what a Writer writes to, to ask it whether it is a terminal or to write bytes that are not text; other
// writers are returned as they are.
func Underlying(w io.Writer) io.Writer {
	if escaped, ok := w.(*Writer); ok {
		return escaped.to
	}
	return w
}

// Write writes text with its control characters escaped.
func (w *Writer) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.before != nil {
		w.before(text)
	}
	all := append(w.rest, text...)
	end := len(all) - incomplete(all)
	w.rest = bytes.Clone(all[end:])
	shown := all[:end]
	if w.mask != nil {
		shown = []byte(w.mask(string(shown)))
	}
	if _, err := w.to.Write(neutral(shown)); err != nil {
		return 0, err
	}
	return len(text), nil
}

// incomplete returns how many bytes at the end of a text begin a character without ending it.
func incomplete(text []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		if tail := text[len(text)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}

func neutral(text []byte) []byte {
	var out bytes.Buffer
	for len(text) > 0 {
		if text[0] == 0x1b {
			if match := own.FindSubmatchIndex(text); match != nil && match[0] == 0 {
				fmt.Fprintf(&out, "\x1b[%s%s", text[match[2]:match[3]], text[match[4]:match[5]])
				text = text[match[1]:]
				continue
			}
		}
		r, size := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && size <= 1:
			out.WriteString(escaped(rune(text[0])))
		case control(r):
			out.WriteString(escaped(r))
		default:
			out.WriteRune(r)
		}
		text = text[size:]
	}
	return out.Bytes()
}

// Line keeps a text in one line: newlines and tabs are shown as \n and \t, so that a name cannot look like a line of its own.
// Other control characters are escaped when it is written.
func Line(text string) string { return lines.Replace(text) }

var lines = strings.NewReplacer("\n", `\n`, "\t", `\t`, "\r", `\r`)
