package cli

import (
	"sync"
	"time"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/rest"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// Deps is what commands need from outside. Opening the cluster is a call, so that --help opens nothing.
type Deps struct {
	genericiooptions.IOStreams
	Flags *genericclioptions.ConfigFlags // kubectl's connection flags
	Color string                         // --color
	Now   func() time.Time

	connected sync.Once
	Client    *cluster.Client
	err       error

	drawn    sync.Once
	terminal *ui.Screen
}

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

// Connect opens the cluster that the connection flags choose, once.
func (d *Deps) Connect() (*cluster.Client, error) {
	d.connected.Do(func() { d.Client, d.err = cluster.Connect(d.Flags) })
	return d.Client, d.err
}

// Screen returns how to draw on this terminal, or into this pipe.
func (d *Deps) Screen() *ui.Screen {
	d.drawn.Do(func() { d.terminal = ui.NewScreen(d.In, d.Out, d.ErrOut, d.Color) })
	return d.terminal
}
