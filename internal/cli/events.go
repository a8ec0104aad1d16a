package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
)

// An EventStream writes what happens as JSON, one event a line. What is said in words goes through it as well, as
// notes, warnings and errors, so that every line of the stream can be parsed.
type EventStream struct {
	mu    sync.Mutex
	out   io.Writer
	began time.Time
	now   func() time.Time
	rest  []byte // of a line that is not ended yet
}

func NewEventStream(out io.Writer, now func() time.Time) *EventStream {
	return &EventStream{out: out, began: now(), now: now}
}

// Observe writes one event of an install or an uninstall.
func (s *EventStream) Observe(event events.Event) {
	if record, known := events.NewRecord(event); known {
		s.write(record)
	}
}

// Started says what is about to be done; nothing where nobody asked for events.
func (d *Deps) Started(release, where string, total int) {
	if s, ok := d.ErrOut.(*EventStream); ok {
		s.write(events.Record{APIVersion: ResultVersion, Event: "started", Release: release, Context: where, Total: total})
	}
}

// Finished says how it ended.
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

// Write takes in words.
func (s *EventStream) Write(words []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rest = append(s.rest, words...)
	for {
		line, rest, ended := bytes.Cut(s.rest, []byte("\n"))
		if !ended {
			return len(words), nil
		}
		s.rest = rest
		if text := strings.TrimSpace(string(line)); text != "" {
			s.say(text)
		}
	}
}

func (s *EventStream) say(text string) {
	kind := "note"
	for beginning, name := range map[string]string{"Warning: ": "warning", "error: ": "error"} {
		if rest, found := strings.CutPrefix(text, beginning); found {
			kind, text = name, rest
		}
	}
	s.encode(events.Record{APIVersion: ResultVersion, Event: kind, Text: text})
}

func (s *EventStream) encode(record events.Record) {
	record.ElapsedSeconds = s.now().Sub(s.began).Seconds()
	_ = json.NewEncoder(s.out).Encode(record) // who stopped reading has stopped caring
}
