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

// follow shows the status repeatedly: with --watch until it is interrupted, with --wait until everything is ready.
func (o *statusOptions) follow(ctx context.Context, client *cluster.Client) error {
	deadline := ctx
	if o.wait {
		var cancel context.CancelFunc
		deadline, cancel = context.WithTimeout(ctx, o.timeout)
		defer cancel()
	}
	if !o.wait {
		o.Idle() // the status itself says how things are
	}
	scene := ui.NewScene(o.Screen())
	var last *kubeflow.Overview
	var drawErr error
	err := kubeflow.FollowStatus(deadline, client, o.readOptions(), func(overview *kubeflow.Overview) (done bool, err error) {
		drawErr = o.change(scene, last, overview)
		last = overview
		return o.wait && overview.Ready, drawErr
	})
	switch {
	case drawErr != nil:
		return drawErr
	case ctx.Err() != nil:
		return errors.Join(cli.ErrFound, ctx.Err()) // without a message: the last status is on the screen
	case deadline.Err() != nil:
		return o.timedOut(last)
	case err != nil:
		return o.failed(client, err)
	}
	return o.show(last, 0)
}

// timedOut shows the last status and returns the error of a wait that timed out.
func (o *statusOptions) timedOut(last *kubeflow.Overview) error {
	var shown error
	if last != nil {
		shown = o.show(last, 0)
	}
	return errors.Join(shown, &problem.Error{What: fmt.Sprintf("timed out after %s: not everything is ready", o.timeout), Err: context.DeadlineExceeded,
		Next: "To find the cause: kubectl kubeflow doctor"})
}

// change shows what has changed: on a terminal the whole status again, in a pipe a line per change.
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
		return cli.PrintLine(o.Out, overview)
	case scene.Live():
		return scene.Draw(func(rows int) error { return o.show(overview, rows) })
	}
	scene.Changes(o.Out, last, overview, o.Now())
	return nil
}

// same reports whether two overviews are equal.
func same(a, b *kubeflow.Overview) bool {
	one, err1 := json.Marshal(a)
	two, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(one, two)
}
