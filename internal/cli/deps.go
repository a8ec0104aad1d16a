package cli

import (
	"context"
	"sync"
	"time"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/rest"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui/progress"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// Deps are the dependencies of the commands. The connection is opened on the first use, so that --help opens none.
type Deps struct {
	genericiooptions.IOStreams
	Flags *genericclioptions.ConfigFlags // kubectl's connection flags
	Color string                         // --color
	Quiet bool                           // --quiet: no notices, and the shortest result

	Verbosity int // -v: 1 adds detail to results, 6 logs requests

	Now func() time.Time

	Context context.Context // of the command; an interruption ends it

	connected  sync.Once
	client     *cluster.Client
	connectErr error

	opened sync.Once
	screen *ui.Screen
	busy   *progress.Busy
}

// NewDeps returns the dependencies for these streams.
func NewDeps(streams genericiooptions.IOStreams) *Deps {
	d := &Deps{IOStreams: streams, Now: time.Now}
	d.Flags = genericclioptions.NewConfigFlags(true).
		WithDiscoveryBurst(300).WithDiscoveryQPS(-1).WithWarningPrinter(streams).
		WithWrapConfigFn(func(c *rest.Config) *rest.Config {
			c.UserAgent = userAgent()
			return c
		})
	return d
}

// Connect connects to the cluster that the connection flags select, once.
func (d *Deps) Connect() (*cluster.Client, error) {
	d.connected.Do(func() {
		if d.client, d.connectErr = cluster.Connect(d.Flags); d.connectErr == nil {
			d.busy.Doing(connecting(d.client))
			if d.Context != nil {
				d.client.EndWith(d.Context)
			}
		}
	})
	return d.client, d.connectErr
}

// Explain adds to an error what the cluster says about it, if there is a connection: see [cluster.Client.Explain].
func (d *Deps) Explain(err error) error {
	if err == nil || d.client == nil {
		return err
	}
	return d.client.Explain(err)
}

// Screen returns the screen on the streams.
func (d *Deps) Screen() *ui.Screen {
	d.opened.Do(func() {
		d.screen = ui.NewScreen(d.In, d.Out, d.ErrOut, d.Color)
		d.screen.Answered = d.busy.Answered
	})
	return d.screen
}
