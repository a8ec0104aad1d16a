package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

const (
	lookEvery  = 2 * time.Second
	plainEvery = 30 * time.Second // what only has to be there is looked for less often, once it is there
)

// follow looks again and again: with --watch until it is interrupted, with --wait until everything is ready.
func (o *statusOptions) follow(ctx context.Context, look *statusLook) error {
	deadline := ctx
	if o.wait {
		var cancel context.CancelFunc
		deadline, cancel = context.WithTimeout(ctx, o.timeout)
		defer cancel()
	}
	scene := ui.NewScene(o.screen())
	var last *ui.Overview
	var kept cluster.View // remembers what only has to be there
	var keptSince time.Time
	for {
		if kept == nil || o.now().Sub(keptSince) > plainEvery || last == nil || last.Objects.Ready < last.Objects.Total {
			kept, keptSince = o.client.View(), o.now()
		}
		if last != nil && last.Kindless {
			o.client.Forget() // kinds come while an install goes on
		}
		overview, err := look.at(deadline, steadyView{o.client.View(), kept})
		switch {
		case ctx.Err() != nil:
			return errors.Join(errFound, ctx.Err()) // nothing to say: the last look is on the screen
		case err == nil:
			if shown := o.change(scene, last, overview); shown != nil {
				return shown
			}
			last = overview
		case deadline.Err() == nil && (last == nil || !cluster.Transient(err)):
			return o.unseen(o.client, err)
		}
		if o.wait && last != nil && last.Ready {
			return o.show(last, 0)
		}
		select {
		case <-deadline.Done():
		case <-time.After(lookEvery):
		}
		if ctx.Err() == nil && deadline.Err() != nil {
			return o.ranOut(last)
		}
	}
}

// ranOut ends a wait.
func (o *statusOptions) ranOut(last *ui.Overview) error {
	var shown error
	if last != nil {
		shown = o.show(last, 0)
	}
	return errors.Join(shown, &cluster.Problem{What: fmt.Sprintf("not everything was ready after %s", o.timeout), Err: context.DeadlineExceeded,
		Next: "Look for the cause with: kubectl kubeflow doctor"})
}

// change shows what is new since the last look: on a terminal the whole picture, in a pipe a line for each change.
func (o *statusOptions) change(scene *ui.Scene, last, overview *ui.Overview) error {
	switch {
	case o.wait:
		if o.output == "" || o.output == "wide" {
			scene.Changes(o.ErrOut, last, overview, o.now())
		}
		return nil
	case o.output == "json":
		if last != nil && same(last, overview) {
			return nil
		}
		return json.NewEncoder(o.Out).Encode(overview)
	case scene.Live():
		return scene.Draw(func(rows int) error { return o.show(overview, rows) })
	}
	scene.Changes(o.Out, last, overview, o.now())
	return nil
}

// same tells whether two looks saw the same.
func same(a, b *ui.Overview) bool {
	one, err1 := json.Marshal(a)
	two, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(one, two)
}

// A steadyView asks anew how things are, and of what only has to be there it remembers that it was.
type steadyView struct {
	cluster.View
	plain cluster.View
}

func (v steadyView) List(ctx context.Context, kind schema.GroupKind, in cluster.Scope) ([]*unstructured.Unstructured, error) {
	if in.Metadata {
		return v.plain.List(ctx, kind, in)
	}
	return v.View.List(ctx, kind, in)
}
