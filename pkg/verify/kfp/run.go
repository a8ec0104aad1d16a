package kfp

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A State is the state of a run or of a step, in the words of the newer API.
type State string

// The states that end a run.
const (
	Succeeded State = "SUCCEEDED"
	Skipped   State = "SKIPPED"
	Failed    State = "FAILED"
	Canceled  State = "CANCELED"
)

// Over reports whether nothing more happens.
func (s State) Over() bool { return s == Succeeded || s == Skipped || s.Bad() }

// Bad reports whether it failed.
func (s State) Bad() bool { return s == Failed || s == Canceled || s == "ERROR" }

// Word is the state for people.
func (s State) Word() string {
	if s == "" {
		return "pending"
	}
	return strings.ToLower(string(s))
}

// A Run is a run as the API server sees it now.
type Run struct {
	ID, Name string
	State    State
	Message  string // why it failed
	Steps    []Step
}

// A Step is one node of a run's graph.
type Step struct {
	Node       string // its name in Argo, by which artifacts are read
	Name       string
	Kind       string // Pod, DAG …; "" if the API does not say
	State      State
	Message    string
	Start, End time.Time
	After      []string // nodes that follow, or that it consists of
}

// Run returns a run.
func (c *Client) Run(ctx context.Context, id string) (*Run, error) {
	if c.API == V1 {
		return c.runV1(ctx, id)
	}
	var r struct {
		Name    string   `json:"display_name"`
		State   State    `json:"state"`
		Error   rpcError `json:"error"`
		Details struct {
			Tasks []taskV2 `json:"task_details"`
		} `json:"run_details"`
	}
	if err := c.call(ctx, http.MethodGet, "runs/"+url.PathEscape(id), nil, nil, &r); err != nil {
		return nil, err
	}
	run := &Run{ID: id, Name: r.Name, State: r.State, Message: r.Error.Message}
	for _, t := range r.Details.Tasks {
		run.Steps = append(run.Steps, t.step())
	}
	linkParents(run.Steps, r.Details.Tasks)
	return run, nil
}

// rpcError is google.rpc.Status.
type rpcError struct {
	Message string `json:"message"`
}

// A taskV2 is PipelineTaskDetail.
type taskV2 struct {
	ID       string    `json:"task_id"`
	Pod      string    `json:"pod_name"` // the node in Argo
	Name     string    `json:"display_name"`
	State    State     `json:"state"`
	Start    time.Time `json:"start_time"`
	Create   time.Time `json:"create_time"`
	End      time.Time `json:"end_time"`
	Error    rpcError  `json:"error"`
	Parent   string    `json:"parent_task_id"`
	Children []struct {
		ID  string `json:"task_id"`
		Pod string `json:"pod_name"`
	} `json:"child_tasks"`
}

func (t taskV2) step() Step {
	s := Step{Node: first(t.Pod, t.ID), Name: t.Name, State: t.State, Message: t.Error.Message, Start: t.Start, End: t.End}
	if s.Start.IsZero() {
		s.Start = t.Create
	}
	for _, child := range t.Children {
		s.After = append(s.After, first(child.Pod, child.ID))
	}
	return s
}

// linkParents adds to each step the tasks that name it as their parent.
func linkParents(steps []Step, tasks []taskV2) {
	for _, child := range tasks {
		for i, parent := range tasks {
			if child.Parent != "" && child.Parent == parent.ID {
				steps[i].After = append(steps[i].After, first(child.Pod, child.ID))
			}
		}
	}
}

func (c *Client) runV1(ctx context.Context, id string) (*Run, error) {
	var r struct {
		Run struct {
			Name   string `json:"name"`
			Status string `json:"status"`
			Error  string `json:"error"`
		} `json:"run"`
		Runtime struct {
			Workflow string `json:"workflow_manifest"`
		} `json:"pipeline_runtime"`
	}
	if err := c.call(ctx, http.MethodGet, "runs/"+url.PathEscape(id), nil, nil, &r); err != nil {
		return nil, err
	}
	run := &Run{ID: id, Name: r.Run.Name, State: State(strings.ToUpper(r.Run.Status)), Message: r.Run.Error}
	if r.Runtime.Workflow == "" {
		return run, nil
	}
	var workflow struct {
		Status struct {
			Phase   string          `json:"phase"`
			Message string          `json:"message"`
			Nodes   map[string]node `json:"nodes"`
		} `json:"status"`
	}
	if err := json.Unmarshal([]byte(r.Runtime.Workflow), &workflow); err != nil {
		return nil, fmt.Errorf("reading the Workflow of run %s: %w", id, err)
	}
	if run.Message == "" {
		run.Message = workflow.Status.Message
	}
	for _, n := range sorted(workflow.Status.Nodes) {
		run.Steps = append(run.Steps, n.step())
	}
	return run, nil
}
