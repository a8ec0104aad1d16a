package progress

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"time"

	"k8s.io/cli-runtime/pkg/printers"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui"
)

// A Busy shows on a terminal what a command does while it prints nothing, and takes that off before anything is printed. Its
// methods may be called on nil, and from several goroutines.
type Busy struct {
	screen *ui.Screen
	region *ui.Region

	mu      sync.Mutex
	doing   func() (text string, once bool)
	step    string // is more precise than doing
	began   time.Time
	last    time.Time // when something was printed
	open    bool      // the last line is not ended: a question
	printed string    // the last text that was shown as a line
	turn    int
	closed  chan struct{}
	ended   sync.Once
	done    sync.WaitGroup
}

// How long nothing may be printed until the line is shown: where it stays, because it cannot be drawn over, longer.
const (
	silence     = 400 * time.Millisecond
	longSilence = 1500 * time.Millisecond
)

// NewBusy watches the error stream of a command, nil if it is no terminal. color is that of --color. Close ends it.
func NewBusy(errOut io.Writer, color string) *Busy {
	raw := escape.Underlying(errOut)
	if !printers.IsTerminal(raw) {
		return nil
	}
	own := escape.Terminal(raw)
	return newBusy(ui.NewScreen(strings.NewReader(""), own, own, color))
}

func newBusy(screen *ui.Screen) *Busy {
	now := time.Now()
	b := &Busy{screen: screen, region: ui.NewRegion(screen), began: now, last: now, closed: make(chan struct{})}
	b.doing = func() (string, bool) { return "Working", false }
	b.done.Go(b.tick)
	return b
}

// Doing sets what to show where there is no step. once is a line that stays: another program may be writing to the terminal.
func (b *Busy) Doing(text func() (text string, once bool)) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.doing = text
}

// Step sets what is done now, until the next step. "" ends it.
func (b *Busy) Step(text string) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.step == "" || text == "" {
		b.began = time.Now()
	}
	b.step = text
}

// Live reports whether steps are drawn in place.
func (b *Busy) Live() bool { return b != nil && b.screen.Live }

// Printing takes the line off, because a text is about to be printed.
func (b *Busy) Printing(text []byte) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.region.Erase()
	b.last = time.Now()
	if shown := escape.Unstyled(string(text)); shown != "" {
		b.open = !bytes.HasSuffix([]byte(shown), []byte("\n"))
	}
}

// Answered says that the user has ended the last line.
func (b *Busy) Answered() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open, b.last = false, time.Now()
}

// Close takes the line off for good.
func (b *Busy) Close() {
	if b == nil {
		return
	}
	b.ended.Do(func() { close(b.closed) })
	b.done.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.region.Erase()
}

func (b *Busy) tick() {
	clock := time.NewTicker(frame)
	defer clock.Stop()
	for {
		select {
		case <-b.closed:
			return
		case now := <-clock.C:
			b.mu.Lock()
			b.show(now)
			b.mu.Unlock()
		}
	}
}

func (b *Busy) show(now time.Time) {
	most := silence
	if !b.screen.Live {
		most = longSilence
	}
	if b.open || now.Sub(b.last) < most {
		return
	}
	text, once := b.step, false
	if text == "" {
		text, once = b.doing()
	}
	switch {
	case text == "":
	case !b.screen.Live || once:
		b.region.Erase()
		switch {
		case text != b.printed:
			b.printed, b.last = text, now
			b.screen.Say("%s ...", escape.Line(text))
		case now.Sub(b.last) >= heartbeat:
			b.last = now
			b.screen.Say("%s ... %s", escape.Line(text), ui.Brief(now.Sub(b.began)))
		}
	default:
		b.turn++
		line := text
		if took := now.Sub(b.began); took >= 3*time.Second {
			line += "   " + ui.Brief(took)
		}
		b.region.Draw([]string{b.screen.Spinner(b.turn) + " " + ui.Clip(escape.Line(line), b.screen.Width-3)})
	}
}
