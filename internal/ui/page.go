package ui

import (
	"fmt"
	"io"
	"strings"

	"github.com/mattn/go-runewidth"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
)

// A page is text on its way to a screen, wrapped at its width.
type page struct {
	*Screen
	lines []string
}

// line adds a line as it is: a command or a diff is not wrapped. A newline in it does not begin another.
func (p *page) line(text string) { p.lines = append(p.lines, strings.ReplaceAll(text, "\n", `\n`)) }

// margin is the width of the sign and the word of a status.
const margin = 12

// marked adds a line that begins with the sign and word of a status.
func (p *page) marked(status, text string) {
	m := marks[status]
	p.wrapped(fmt.Sprintf("  %s %-8s", p.Paint(m.style, p.Sign(m.sign, m.ascii)), m.word), margin, text)
}

// text adds words, wrapped at the width and set in by indent.
func (p *page) text(indent int, text string) { p.wrapped(strings.Repeat(" ", indent), indent, text) }

// wrapped adds words after a beginning of their own; the lines after the first are set in by indent.
func (p *page) wrapped(beginning string, indent int, text string) {
	for _, line := range wrap(text, p.Width-columns(beginning), p.Width-indent) {
		p.line(strings.TrimRight(beginning+line, " "))
		beginning = strings.Repeat(" ", indent)
	}
}

// Hanging writes words after a beginning of their own, wrapped at the width; the lines after the first are set in by indent.
func (s *Screen) Hanging(w io.Writer, beginning string, indent int, text string) {
	p := &page{Screen: s}
	p.wrapped(beginning, indent, text)
	_ = p.flush(w) // the reader may have closed the pipe
}

// longest limits how much of one text is shown: the message of a condition can have a megabyte.
const longest = 8_000

// wrap breaks text between words: the first line is at most first columns wide, the others at most width.
func wrap(text string, first, width int) []string {
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + fmt.Sprintf(" ... (%d more bytes)", len(text)-longest)
	}
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && columns(line)+1+columns(word) > first {
			lines = append(lines, line)
			line, first = "", width
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(lines, line)
}

// columns is how wide text is on a screen: Chinese letters take two columns.
func columns(text string) int { return letters.StringWidth(escape.Unstyled(text)) }

// letters knows how wide letters are. What a terminal may draw either way, as the signs, counts as one column.
var letters = &runewidth.Condition{}

func (p *page) flush(w io.Writer) error {
	if len(p.lines) == 0 {
		return nil
	}
	_, err := io.WriteString(w, strings.Join(p.lines, "\n")+"\n")
	return err
}
