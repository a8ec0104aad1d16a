//go:build linux

package progress

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
)

// A recorder is a terminal that notes when what is written to it.
type recorder struct {
	mu    sync.Mutex
	times []time.Time
	text  strings.Builder
}

func (r *recorder) all() (times []time.Time, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.times), r.text.String()
}

// openTerminal returns the end of a pseudo-terminal that a program writes to, and what records the other.
func openTerminal(t *testing.T) (*os.File, *recorder) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil && os.Getenv("CI") != "" {
		t.Fatalf("there are no pseudo-terminals: %v", err)
	}
	if err != nil {
		t.Skipf("there are no pseudo-terminals here: %v", err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_ = unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80})
	r := &recorder{}
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, err := master.Read(buffer)
			if err != nil {
				return
			}
			r.mu.Lock()
			r.times = append(r.times, time.Now())
			r.text.Write(buffer[:n])
			r.mu.Unlock()
		}
	}()
	t.Cleanup(func() { _ = slave.Close(); _ = master.Close() })
	return slave, r
}

func TestNothingIsSilentForTwoSecondsOnATerminal(t *testing.T) {
	for _, term := range []string{"xterm", "dumb"} {
		t.Run(term, func(t *testing.T) {
			t.Setenv("TERM", term)
			t.Setenv("NO_COLOR", "1")
			slave, seen := openTerminal(t)
			out := escape.Terminal(slave)
			began := time.Now()
			b := NewBusy(out, "never")
			out.Before(b.Printing)
			b.Doing(func() (string, bool) { return "Connecting to https://aks.example.com", false })
			time.Sleep(1700 * time.Millisecond)
			b.Step("Downloading v1.2.0.tar.gz   18.2/31.0 MB")
			time.Sleep(1700 * time.Millisecond)
			fmt.Fprintln(out, "done")
			b.Close()
			time.Sleep(50 * time.Millisecond)
			times, text := seen.all()
			last := began
			for _, at := range append(times, time.Now()) {
				if silent := at.Sub(last); silent > 2*time.Second {
					t.Errorf("silent for %s", silent)
				}
				last = at
			}
			for _, want := range []string{"Connecting to https://aks.example.com", "Downloading v1.2.0.tar.gz   18.2/31.0 MB"} {
				if !strings.Contains(text, want) {
					t.Errorf("it does not say %q:\n%q", want, text)
				}
			}
			if term == "dumb" && strings.Contains(text, "\x1b") {
				t.Errorf("a dumb terminal gets escape sequences: %q", text)
			}
			if term == "xterm" && (len(times) == 0 || times[0].Sub(began) > time.Second) {
				t.Error("the first line comes after more than a second")
			}
			if rest := text[strings.LastIndex(text, "done"):]; rest != "done\r\n" {
				t.Errorf("something is left on the screen after the result: %q", rest)
			}
		})
	}
}

func TestAQuestionIsNotDrawnOver(t *testing.T) {
	t.Setenv("TERM", "xterm")
	slave, seen := openTerminal(t)
	out := escape.Terminal(slave)
	b := NewBusy(out, "never")
	out.Before(b.Printing)
	fmt.Fprint(out, "Install? [y/N] ")
	time.Sleep(900 * time.Millisecond)
	if _, text := seen.all(); text != "Install? [y/N] " {
		t.Errorf("while the user thinks: %q", text)
	}
	b.Answered()
	time.Sleep(900 * time.Millisecond)
	b.Close()
	if _, text := seen.all(); !strings.Contains(text, "Working") {
		t.Errorf("after the answer nothing is drawn: %q", text)
	}
}

func TestAPipeGetsNoBusyLine(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = read.Close(); _ = write.Close() }()
	if b := NewBusy(escape.Terminal(write), "never"); b != nil {
		t.Error("a pipe has a busy line")
		b.Close()
	}
	var none *Busy // all methods may be called on it
	none.Step("x")
	none.Doing(nil)
	none.Printing(nil)
	none.Answered()
	none.Close()
}
