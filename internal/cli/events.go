package cli

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
)

// An EventStream writes events as JSON, one per line. It is also an io.Writer for messages, which become notes, warnings and
// errors, so that every line of the stream is JSON.
type EventStream struct {
	mu    sync.Mutex
	out   io.Writer
	began time.Time
	now   func() time.Time
	rest  []byte // an incomplete line
}

// NewEventStream returns a stream that writes to out.
func NewEventStream(out io.Writer, now func() time.Time) *EventStream {
	return &EventStream{out: out, began: now(), now: now}
}

// Observe writes one event of an install or an uninstall.
func (s *EventStream) Observe(event events.Event) {
	if record, known := events.NewRecord(event); known {
		s.write(record)
	}
}

// Started writes the event that starts the stream, if stderr is an event stream.
func (d *Deps) Started(release, where string, total int) {
	if s, ok := d.ErrOut.(*EventStream); ok {
		s.write(events.Record{APIVersion: ResultVersion, Event: "started", Release: release, Context: where, Total: total})
	}
}

// Finished writes the event that ends the stream, if stderr is an event stream.
func (d *Deps) Finished(status string) {
	if s, ok := d.ErrOut.(*EventStream); ok {
		s.write(events.Record{APIVersion: ResultVersion, Event: "finished", Status: status})
	}
}

func (s *EventStream) write(record events.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.encode(record)
}

// Write writes each line of text as an event.
func (s *EventStream) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rest = append(s.rest, text...)
	for {
		line, rest, ended := bytes.Cut(s.rest, []byte("\n"))
		if !ended {
			return len(text), nil
		}
		s.rest = rest
		if message := strings.TrimSpace(escape.Unstyled(string(line))); message != "" {
			s.message(message)
		}
	}
}

func (s *EventStream) message(text string) {
	kind := "note"
	for prefix, name := range map[string]string{"Warning: ": "warning", "error: ": "error"} {
		if rest, found := strings.CutPrefix(text, prefix); found {
			kind, text = name, rest
		}
	}
	if strings.HasPrefix(text, "Interrupted") {
		kind = "error"
	}
	s.encode(events.Record{APIVersion: ResultVersion, Event: kind, Text: text})
}

func (s *EventStream) encode(record events.Record) {
	record.ElapsedSeconds = s.now().Sub(s.began).Seconds()
	_ = PrintLine(s.out, record) // the reader may have closed the pipe
}
