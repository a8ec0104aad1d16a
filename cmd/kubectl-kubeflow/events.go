package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
)

// An eventStream writes what happens as JSON, one event a line. What is said in words goes through it as well, as
// notes, warnings and errors, so that every line of the stream can be parsed.
type eventStream struct {
	mu    sync.Mutex
	out   io.Writer
	began time.Time
	now   func() time.Time
	rest  []byte // of a line that is not ended yet
}

func newEventStream(out io.Writer, now func() time.Time) *eventStream {
	return &eventStream{out: out, began: now(), now: now}
}

// Observe writes one event of an install or an uninstall.
func (s *eventStream) Observe(event events.Event) {
	if record, known := events.RecordOf(event); known {
		s.write(record)
	}
}

// started says what is about to be done; nothing where nobody asked for events.
func (d *deps) started(release, where string, total int) {
	if s, ok := d.ErrOut.(*eventStream); ok {
		s.write(events.EventRecord{APIVersion: resultVersion, Event: "started", Release: release, Context: where, Total: total})
	}
}

// finished says how it ended.
func (d *deps) finished(status string) {
	if s, ok := d.ErrOut.(*eventStream); ok {
		s.write(events.EventRecord{APIVersion: resultVersion, Event: "finished", Status: status})
	}
}

func (s *eventStream) write(record events.EventRecord) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.encode(record)
}

// Write takes in words.
func (s *eventStream) Write(words []byte) (int, error) {
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

func (s *eventStream) say(text string) {
	kind := "note"
	for beginning, name := range map[string]string{"Warning: ": "warning", "error: ": "error"} {
		if rest, found := strings.CutPrefix(text, beginning); found {
			kind, text = name, rest
		}
	}
	s.encode(events.EventRecord{APIVersion: resultVersion, Event: kind, Text: text})
}

func (s *eventStream) encode(record events.EventRecord) {
	record.ElapsedSeconds = s.now().Sub(s.began).Seconds()
	_ = json.NewEncoder(s.out).Encode(record) // who stopped reading has stopped caring
}
