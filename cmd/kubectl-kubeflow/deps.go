package main

import (
	"sync"
	"time"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/rest"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// deps is what commands need from outside. Opening the cluster is a call, so that --help opens nothing.
type deps struct {
	genericiooptions.IOStreams
	flags *genericclioptions.ConfigFlags // kubectl's connection flags
	color string                         // --color
	now   func() time.Time

	connected sync.Once
	client    *cluster.Client
	err       error

	drawn    sync.Once
	terminal *ui.Screen
}

func newDeps(streams genericiooptions.IOStreams) *deps {
	d := &deps{IOStreams: streams, now: time.Now}
	d.flags = genericclioptions.NewConfigFlags(true).
		WithDiscoveryBurst(300).WithDiscoveryQPS(-1).WithWarningPrinter(streams).
		WithWrapConfigFn(func(c *rest.Config) *rest.Config {
			c.UserAgent = userAgent()
			return c
		})
	return d
}

// connect opens the cluster that the connection flags choose, once.
func (d *deps) connect() (*cluster.Client, error) {
	d.connected.Do(func() { d.client, d.err = cluster.Connect(d.flags) })
	return d.client, d.err
}

// screen returns how to draw on this terminal, or into this pipe.
func (d *deps) screen() *ui.Screen {
	d.drawn.Do(func() { d.terminal = ui.NewScreen(d.In, d.Out, d.ErrOut, d.color) })
	return d.terminal
}
