package kfp

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
)

// A node is a node in the status of an Argo Workflow.
type node struct {
	ID         string    `json:"id"`
	Name       string    `json:"displayName"`
	Kind       string    `json:"type"`
	Phase      string    `json:"phase"`
	Message    string    `json:"message"`
	StartedAt  time.Time `json:"startedAt"`
	FinishedAt time.Time `json:"finishedAt"`
	Children   []string  `json:"children"`
}

func (n node) step() Step {
	return Step{Node: n.ID, Name: n.Name, Kind: n.Kind, State: State(strings.ToUpper(n.Phase)), Message: n.Message, Start: n.StartedAt, End: n.FinishedAt, After: n.Children}
}

func sorted(nodes map[string]node) []node {
	all := make([]node, 0, len(nodes))
	for _, id := range slices.Sorted(maps.Keys(nodes)) {
		n := nodes[id]
		n.ID = id
		all = append(all, n)
	}
	return all
}

// A Line is a step in the drawing of a graph.
type Line struct {
	Depth   int     `json:"depth"`
	Name    string  `json:"name"`
	State   string  `json:"state"`
	Seconds float64 `json:"seconds"`
	Message string  `json:"message,omitempty"`
}

// deepest limits how far a step is indented, whatever the graph.
const deepest = 20

// Tree orders the steps of a run as a tree: each below the first of those that lead to it, in the order of their start.
func (r *Run) Tree() []Line {
	steps := map[string]Step{}
	follows := map[string]bool{}
	for _, s := range r.Steps {
		steps[s.Node] = s
		for _, after := range s.After {
			follows[after] = true
		}
	}
	var lines []Line
	drawn := map[string]bool{}
	var draw func(nodes []string, depth int)
	draw = func(nodes []string, depth int) {
		slices.SortStableFunc(nodes, func(a, b string) int { return steps[a].Start.Compare(steps[b].Start) })
		for _, id := range nodes {
			s, ok := steps[id]
			if !ok || drawn[id] {
				continue
			}
			drawn[id] = true
			lines = append(lines, s.line(min(depth, deepest)))
			draw(slices.Clone(s.After), depth+1)
		}
	}
	var roots, all []string
	for _, s := range r.Steps {
		all = append(all, s.Node)
		if !follows[s.Node] {
			roots = append(roots, s.Node)
		}
	}
	draw(roots, 0)
	draw(all, 0) // those of a circle, which no root leads to
	return lines
}

func (s Step) line(depth int) Line {
	l := Line{Depth: depth, Name: s.Name, State: s.State.Word(), Message: s.Message}
	if s.End.After(s.Start) {
		l.Seconds = s.End.Sub(s.Start).Seconds()
	}
	return l
}

// Culprit returns the step that made a run fail: the one that failed first and has a message, nil if there is none. A graph that
// failed because of a step inside says less than that step.
func (r *Run) Culprit() *Step {
	var found *Step
	for i := range r.Steps {
		s := &r.Steps[i]
		if !s.State.Bad() {
			continue
		}
		if found == nil || s.better(found) {
			found = s
		}
	}
	return found
}

func (s *Step) better(than *Step) bool {
	if a, b := s.leads(), than.leads(); a != b {
		return b
	}
	if a, b := s.Message != "", than.Message != ""; a != b {
		return a
	}
	return s.End.Before(than.End)
}

// leads reports whether it consists of other steps or is only a message about them.
func (s *Step) leads() bool {
	switch s.Kind {
	case "DAG", "Steps", "StepGroup", "TaskGroup", "Retry":
		return true
	case "":
		return len(s.After) > 0
	}
	return false
}

// Find returns the last step with this name that ended well.
func (r *Run) Find(name string) *Step {
	var found *Step
	for i := range r.Steps {
		if s := &r.Steps[i]; s.Name == name && !s.leads() {
			found = s
		}
	}
	return found
}

// unpack returns the content of an artifact: Argo stores it as a packed archive unless told not to.
func unpack(data []byte) ([]byte, error) {
	if !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		return data, nil
	}
	packed, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("unpacking the artifact: %w", err)
	}
	content, err := bounded.Start(packed, largest)
	if err != nil {
		return nil, fmt.Errorf("unpacking the artifact: %w", err)
	}
	archive := tar.NewReader(bytes.NewReader(content))
	for {
		header, err := archive.Next()
		if err != nil {
			return content, nil // a compressed file that is no archive
		}
		if header.Typeflag == tar.TypeReg {
			return bounded.Start(archive, largest)
		}
	}
}
