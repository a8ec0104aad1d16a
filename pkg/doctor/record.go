package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A Run is the record of one doctor --fix: what it takes to put everything back. It is kept in the cluster.
type Run struct {
	Name     string    `json:"name"`
	Started  time.Time `json:"started"`
	Finished bool      `json:"finished"` // false when it was cut off: the next --fix goes on with it
	Undone   bool      `json:"undone,omitempty"`
	Steps    []Step    `json:"steps"`

	kind string // of the object that holds it
}

// A Step is one change of a run.
type Step struct {
	Check   string                     `json:"check"`
	Title   string                     `json:"title"`
	Verb    cluster.Verb               `json:"verb"`
	About   cluster.Ref                `json:"about"`
	Created bool                       `json:"created,omitempty"` // the object was not there before
	Inverse json.RawMessage            `json:"inverse,omitempty"` // RFC 6902, with tests of what was written
	Before  *unstructured.Unstructured `json:"before,omitempty"`  // what was deleted
	Probe   *Probe                     `json:"trial,omitempty"`
	Done    bool                       `json:"done,omitempty"`
}

// The record's place in the cluster.
const (
	recordNamespace = "kubeflow"
	recordPrefix    = "kubectl-kubeflow-doctor-"
	recordLabel     = "kubectl-kubeflow/doctor-run"
	recordKey       = "run"
	kept            = 10 // runs that are remembered
)

// record adds what will take a round back to the run's record, and stores it before anything changes.
func (c *fixer) record(ctx context.Context, plan []Proposal) error {
	first := c.run == nil
	if first {
		if err := c.begin(ctx); err != nil {
			c.run = nil
			return err
		}
	}
	for _, p := range plan {
		for _, change := range p.Fix.Changes {
			step, err := stepOf(p, change)
			if err != nil {
				return err
			}
			c.run.Steps = append(c.run.Steps, step)
		}
	}
	err := c.store(ctx)
	if err != nil && first {
		c.run = nil // nothing was changed, so there is nothing to undo
	}
	return err
}

// begin starts a run, or goes on with one that was cut off.
func (c *fixer) begin(ctx context.Context) error {
	runs, err := Runs(ctx, c.client)
	if err != nil {
		return fmt.Errorf("reading what earlier fixes left to undo: %w", err)
	}
	if len(runs) > 0 && !runs[0].Finished && !runs[0].Undone {
		c.run = &runs[0]
		c.say("going on with run " + c.run.Name + ", which was interrupted")
		return nil
	}
	now := c.Now().UTC()
	c.run = &Run{Name: now.Format("20060102-150405"), Started: now.Truncate(time.Second), kind: "ConfigMap"}
	for slices.ContainsFunc(runs, func(r Run) bool { return r.Name == c.run.Name }) {
		now = now.Add(time.Second)
		c.run.Name = now.Format("20060102-150405")
	}
	return prune(ctx, c.client, runs)
}

// leftOpen returns the run that was cut off, nil when there is none or it cannot be read.
func (c *fixer) leftOpen(ctx context.Context) *Run {
	runs, err := Runs(ctx, c.client)
	if err != nil || len(runs) == 0 || runs[0].Finished || runs[0].Undone {
		return nil
	}
	return &runs[0]
}

func stepOf(p Proposal, change cluster.Change) (Step, error) {
	s := Step{Check: p.Check, Title: p.Fix.Title, Verb: change.Verb, About: change.Ref(), Probe: p.Fix.Probe}
	switch {
	case change.Verb == cluster.Delete:
		s.Before = change.Before
	case change.Before == nil:
		s.Created = true
	default:
		inverse, err := change.Inverse()
		if err != nil {
			return s, err
		}
		s.Inverse = inverse
	}
	return s, nil
}

func (r *Run) markDone() {
	for i := range r.Steps {
		r.Steps[i].Done = true
	}
}

// secret tells whether the record would show a Secret's content.
func (r *Run) secret() bool {
	return slices.ContainsFunc(r.Steps, func(s Step) bool { return s.About.Kind == "Secret" && s.About.APIVersion == "v1" })
}

func (c *fixer) store(ctx context.Context) error { return c.run.store(ctx, c.client) }

// store writes the record: into a Secret when it has to hold what a Secret held.
func (r *Run) store(ctx context.Context, client *cluster.Client) error {
	content, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encoding the record of run %s: %w", r.Name, err)
	}
	kind, field := "ConfigMap", "data"
	if r.secret() {
		kind, field = "Secret", "stringData"
	}
	if kind != r.kind {
		if err := r.forget(ctx, client); err != nil {
			return err
		}
		r.kind = kind
	}
	object := r.object()
	object.Object[field] = map[string]any{recordKey: string(content)}
	if _, err = client.Do(ctx, cluster.Change{Verb: cluster.Apply, After: object}, cluster.Options{Manager: Manager, Force: true}); err != nil {
		return fmt.Errorf("keeping how to undo: %w", err)
	}
	return nil
}

func (r *Run) object() *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": r.kind,
		"metadata": map[string]any{
			"name": recordPrefix + r.Name, "namespace": recordNamespace,
			"labels": map[string]any{"app.kubernetes.io/managed-by": "kubectl-kubeflow", recordLabel: r.Name},
		},
	}}
}

func (r *Run) forget(ctx context.Context, client *cluster.Client) error {
	_, err := client.Do(ctx, cluster.Change{Verb: cluster.Delete, Before: r.object()}, cluster.Options{Manager: Manager})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// Runs returns the records of earlier fixes, the newest first.
func Runs(ctx context.Context, client *cluster.Client) ([]Run, error) {
	view := client.View()
	var runs []Run
	for _, kind := range []string{"ConfigMap", "Secret"} {
		list, err := view.List(ctx, schema.GroupKind{Kind: kind}, cluster.Scope{Namespace: recordNamespace, Labels: recordLabel})
		if kind == "Secret" && apierrors.IsForbidden(err) {
			continue // who may not read Secrets has made none
		}
		if err != nil {
			return nil, err
		}
		for _, o := range list {
			run, err := decode(o)
			if err != nil {
				return nil, fmt.Errorf("reading %s: %w", cluster.RefOf(o), err)
			}
			runs = append(runs, *run)
		}
	}
	slices.SortFunc(runs, func(a, b Run) int { return strings.Compare(b.Name, a.Name) })
	return runs, nil
}

// prune drops the oldest records.
func prune(ctx context.Context, client *cluster.Client, runs []Run) error {
	if len(runs) < kept {
		return nil
	}
	for _, r := range runs[kept-1:] {
		if err := r.forget(ctx, client); err != nil {
			return err
		}
	}
	return nil
}
