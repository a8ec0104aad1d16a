package control

import (
	"context"
	"fmt"
	"io"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
)

// A Poll reconciles the objects of a kind that comes and goes with Kubeflow, which is why it lists them periodically instead of
// watching them.
type Poll struct {
	Name   string
	Client dynamic.Interface
	Kinds  []schema.GroupVersionResource // versions of one kind; the first that is served counts
	Ready  func() bool                   // whether the controller that is simulated runs

	// Reconcile reconciles one object. A settled object is reconciled again when it changes, and now and then.
	Reconcile func(ctx context.Context, kind schema.GroupVersionResource, object *unstructured.Unstructured) (settled bool, err error)

	seen map[types.UID]sight
}

// A sight is when an object was last settled, and in which version.
type sight struct {
	version string
	at      time.Time
}

const (
	pollInterval   = 400 * time.Millisecond
	resyncInterval = 5 * time.Second
)

// Run polls until ctx ends. Errors are logged, and the object is reconciled again.
func (p *Poll) Run(ctx context.Context, log io.Writer) {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		if p.Ready() {
			if err := p.poll(ctx, log); err != nil && ctx.Err() == nil {
				fmt.Fprintf(log, "%s: %v\n", p.Name, err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (p *Poll) poll(ctx context.Context, log io.Writer) error {
	for _, kind := range p.Kinds {
		list, err := p.Client.Resource(kind).List(ctx, metav1.ListOptions{})
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		seen := map[types.UID]sight{}
		for i := range list.Items {
			p.visit(ctx, log, kind, &list.Items[i], seen)
		}
		p.seen = seen // deleted objects are forgotten
		return nil
	}
	return nil
}

func (p *Poll) visit(ctx context.Context, log io.Writer, kind schema.GroupVersionResource, o *unstructured.Unstructured, seen map[types.UID]sight) {
	last, ok := p.seen[o.GetUID()]
	if ok && last.version == o.GetResourceVersion() && time.Since(last.at) < resyncInterval {
		seen[o.GetUID()] = last
		return
	}
	version := o.GetResourceVersion()
	settled, err := p.Reconcile(ctx, kind, o)
	switch {
	case err != nil && ctx.Err() == nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err):
		fmt.Fprintf(log, "%s: %s/%s: %v\n", p.Name, o.GetNamespace(), o.GetName(), err)
	case err == nil && settled:
		seen[o.GetUID()] = sight{version, time.Now()}
	}
}
