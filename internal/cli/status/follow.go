package status

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// follow shows the status again and again: with --watch until it is interrupted, with --wait until everything is ready.
func (o *statusOptions) follow(ctx context.Context, client *cluster.Client) error {
	deadline := ctx
	if o.wait {
		var cancel context.CancelFunc
		deadline, cancel = context.WithTimeout(ctx, o.timeout)
		defer cancel()
	}
	scene := ui.NewScene(o.Screen())
	var last *kubeflow.Overview
	var unshown error
	err := kubeflow.FollowStatus(deadline, client, o.wanted(), func(overview *kubeflow.Overview) (done bool, err error) {
		unshown = o.change(scene, last, overview)
		last = overview
		return o.wait && overview.Ready, unshown
	})
	switch {
	case unshown != nil:
		return unshown
	case ctx.Err() != nil:
		return errors.Join(cli.ErrFound, ctx.Err()) // nothing to say: the last look is on the screen
	case deadline.Err() != nil:
		return o.ranOut(last)
	case err != nil:
		return o.unseen(client, err)
	}
	return o.show(last, 0)
}

// ranOut ends a wait.
func (o *statusOptions) ranOut(last *kubeflow.Overview) error {
	var shown error
	if last != nil {
		shown = o.show(last, 0)
	}
	return errors.Join(shown, &problem.Error{What: fmt.Sprintf("not everything was ready after %s", o.timeout), Err: context.DeadlineExceeded,
		Next: "Look for the cause with: kubectl kubeflow doctor"})
}

// change shows what is new since the last look: on a terminal the whole picture, in a pipe a line for each change.
func (o *statusOptions) change(scene *ui.Scene, last, overview *kubeflow.Overview) error {
	switch {
	case o.wait:
		if o.output == "" || o.output == "wide" {
			scene.Changes(o.ErrOut, last, overview, o.Now())
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
	scene.Changes(o.Out, last, overview, o.Now())
	return nil
}

// same tells whether two looks saw the same.
func same(a, b *kubeflow.Overview) bool {
	one, err1 := json.Marshal(a)
	two, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(one, two)
}
