package kubeflow

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

const (
	lookEvery  = 2 * time.Second
	plainEvery = 30 * time.Second // what only has to be there is looked for less often, once it is there
)

// FollowStatus reads the status again and again, and hands each to seen, until seen is done or fails, or the context ends. Once
// it has been read, an error that may pass is waited out; any other error ends it.
func FollowStatus(ctx context.Context, client *cluster.Client, o StatusOptions, seen func(*Overview) (done bool, err error)) error {
	r := newStatusReader(client, o)
	var last *Overview
	var kept cluster.View // remembers what only has to be there
	var keptSince time.Time
	for {
		if kept == nil || r.Now().Sub(keptSince) > plainEvery || last == nil || last.Objects.Ready < last.Objects.Total {
			kept, keptSince = client.View(), r.Now()
		}
		if last != nil && last.MissingKinds {
			client.Forget() // kinds come while an install goes on
		}
		overview, err := r.read(ctx, steadyView{client.View(), kept})
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			if done, err := seen(overview); done || err != nil {
				return err
			}
			last = overview
		case last == nil || !cluster.Transient(err):
			return err
		}
		if err := kube.Sleep(ctx, lookEvery); err != nil {
			return err
		}
	}
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
