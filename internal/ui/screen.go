package ui

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/kubectl/pkg/util/term"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
)

// A Screen is where results go: a terminal of some width, or a pipe.
type Screen struct {
	Out    io.Writer // results
	ErrOut io.Writer // progress, warnings and questions
	Width  int       // columns; 80 where nothing else is known

	Color       bool // results may be coloured
	Live        bool // progress may be redrawn in place
	Unicode     bool // signs may be more than ASCII
	Interactive bool // questions can be asked

	Answered func() // is called when a question has been answered; may be nil

	in *bufio.Reader
}

// NewScreen looks at the streams and the environment (NO_COLOR, TERM, the locale).
// color is "auto", "always" or "never".
func NewScreen(in io.Reader, out, errOut io.Writer, color string) *Screen {
	s := &Screen{Out: out, ErrOut: errOut, in: bufio.NewReader(in), Width: 80, Unicode: utf8Locale()}
	out, errOut = escape.Underlying(out), escape.Underlying(errOut)
	s.Live = printers.IsTerminal(errOut) && os.Getenv("TERM") != "dumb" && escapes(errOut)
	s.Interactive = printers.IsTerminal(in) && printers.IsTerminal(errOut)
	s.Color = color == "always" || color == "auto" && printers.AllowsColorOutput(out) && escapes(out)
	s.measure()
	return s
}

// measure asks the terminal how wide it is now.
func (s *Screen) measure() {
	for _, w := range []io.Writer{s.ErrOut, s.Out} {
		if size := (term.TTY{Out: escape.Underlying(w)}).GetSize(); size != nil && size.Width > 0 {
			s.Width = int(size.Width)
		}
	}
}

func utf8Locale() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := os.Getenv(name); value != "" {
			value = strings.ToLower(value)
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	// No locale at all: a container, where UTF-8 is the rule, or Windows, where it is the newer terminal's.
	return runtime.GOOS != "windows" || os.Getenv("WT_SESSION") != ""
}

// A Style is how a piece of text looks; words always say the same thing as the colour.
type Style string

// The styles there are.
const (
	Bold   Style = "1"
	Dim    Style = "2"
	Red    Style = "31"
	Green  Style = "32"
	Yellow Style = "33"
	Cyan   Style = "36"
)

// Paint returns text in a style, or as it is where there is no colour.
func (s *Screen) Paint(style Style, text string) string {
	if !s.Color || text == "" {
		return text
	}
	return escape.Style(string(style)) + text + escape.Style("0")
}

// Sign returns the first sign where the screen can show it, else the ASCII one.
func (s *Screen) Sign(unicode, ascii string) string {
	if s.Unicode {
		return unicode
	}
	return ascii
}

// Done returns the sign before what went well.
func (s *Screen) Done() string { return s.Paint(Green, s.Sign("✓", "ok")) }

// Say writes one line of progress. A newline in an argument does not begin a line that looks like this program's own.
func (s *Screen) Say(format string, args ...any) {
	for i, arg := range args {
		switch arg := arg.(type) {
		case string:
			args[i] = Indented(arg)
		case error:
			args[i] = Indented(arg.Error())
		case fmt.Stringer:
			args[i] = Indented(arg.String())
		}
	}
	fmt.Fprintf(s.ErrOut, format+"\n", args...)
}

// Indented sets the lines of a text in, after the first.
func Indented(text string) string { return strings.ReplaceAll(text, "\n", "\n  ") }

// Ask asks a question and returns what was typed, without the newline. Check Interactive first.
// It ends with the context's error when that ends before the answer comes.
func (s *Screen) Ask(ctx context.Context, question string) (string, error) {
	fmt.Fprint(s.ErrOut, question+" ")
	typed := make(chan string, 1)
	go func() {
		line, err := s.in.ReadSlice('\n') // no answer is an empty one, and so is one that is too long
		if errors.Is(err, bufio.ErrBufferFull) {
			line = nil
		}
		typed <- strings.TrimSpace(string(line))
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(s.ErrOut)
		return "", ctx.Err()
	case line := <-typed:
		if s.Answered != nil {
			s.Answered()
		}
		return line, nil
	}
}

// Confirm asks a question whose answer is no unless it is yes.
func (s *Screen) Confirm(ctx context.Context, question string) (bool, error) {
	answer, err := s.Ask(ctx, question+" [y/N]")
	answer = strings.ToLower(answer)
	return answer == "y" || answer == "yes", err
}
