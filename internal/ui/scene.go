package ui

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/kubectl/pkg/util/term"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/status"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
)

// A Scene is a picture that is drawn again in place, on a terminal.
type Scene struct {
	screen *Screen
	out    io.Writer
	last   string
	lines  []string // on the screen
	live   bool
}

// NewScene makes an empty one, on the screen's results.
func NewScene(screen *Screen) *Scene {
	return &Scene{screen: screen, out: screen.Out, live: printers.IsTerminal(escape.Underlying(screen.Out)) && os.Getenv("TERM") != "dumb"}
}

// Live reports whether there is a terminal to draw on.
func (s *Scene) Live() bool { return s.live }

// Draw lets show write the picture to the screen's results, and puts it over the last one where it is another.
// rows is how many lines the terminal has room for.
func (s *Scene) Draw(show func(rows int) error) error {
	rows := 0
	if size := (term.TTY{Out: escape.Underlying(s.out)}).GetSize(); size != nil && size.Height > 1 {
		rows, s.screen.Width = int(size.Height)-1, int(size.Width)
	}
	var picture bytes.Buffer
	s.screen.Out = &picture
	err := show(rows)
	s.screen.Out = s.out
	if err != nil || picture.String() == s.last {
		return err
	}
	_, err = io.WriteString(s.out, upOver(s.lines, s.screen.Width)+picture.String())
	s.last, s.lines = picture.String(), strings.Split(strings.TrimSuffix(picture.String(), "\n"), "\n")
	return err
}

// upOver moves the cursor up over lines that are on the screen, as wide as it now is, and clears from there.
func upOver(lines []string, width int) string {
	if len(lines) == 0 {
		return ""
	}
	rows := 0
	for _, line := range lines {
		rows += max(1, (columns(line)+max(width, 1)-1)/max(width, 1))
	}
	return escape.Over(rows)
}

// Changes writes a line for each component that is another way than it was; at first for each that is not ready.
func (s *Scene) Changes(w io.Writer, last, now *kubeflow.Overview, at time.Time) {
	clock := at.Format(time.TimeOnly)
	before := map[string]string{}
	if last != nil {
		for _, c := range last.Components {
			before[c.Name] = componentLine(c)
		}
	}
	for _, c := range now.Components {
		if line := componentLine(c); line != before[c.Name] && (last != nil || c.State != status.Ready) {
			fmt.Fprintln(w, clock, line)
		}
	}
	if last == nil || conclusion(last) != conclusion(now) {
		fmt.Fprintln(w, clock, conclusion(now))
	}
	if now.Dashboard.URL != "" && (last == nil || last.Dashboard.URL != now.Dashboard.URL) {
		fmt.Fprintln(w, clock, "Dashboard:", now.Dashboard.URL)
	}
}

// componentLine says how a component is in one line.
func componentLine(c status.Component) string {
	line := fmt.Sprintf("%s: %s, %s ready", c.Name, states[c.State].word, fraction(c.Objects))
	if items := worstFirst(c.Items); c.State != status.Ready && len(items) > 0 {
		line += ", " + about(items[0])
		if more := len(items) - 1; more > 0 {
			line += fmt.Sprintf(" (and %d more)", more)
		}
	}
	return line
}
