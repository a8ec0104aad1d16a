package expose

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/portforward"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

var portForwardMethod = exposeMethod{Method: portforward.Method, run: (*exposeOptions).runPortForward, shared: []string{"port"}, groups: []cli.FlagGroup{
	{Title: "On this computer", Flags: []string{"address", "open"}},
}}

// runPortForward keeps the dashboard open on this computer until Ctrl-C.
func (o *exposeOptions) runPortForward(ctx context.Context, c *cluster.Client, result *expose.Exposure) error {
	t, err := expose.Read(ctx, c.View())
	if err != nil {
		return err
	}
	result.SetTarget(t)
	listeners, err := portforward.Listen(o.address, o.port)
	if err != nil {
		return err
	}
	url := portforward.LocalURL(listeners, t.Listeners[0].TLS)
	o.warn(t, listeners)

	ready := o.announce(result, url)
	serving, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	late := time.AfterFunc(o.timeout, func() { stop(context.DeadlineExceeded) })
	defer late.Stop()
	waiting := "it has no ready pod"
	var mu sync.Mutex
	forward := &portforward.Forwarder{Client: c, Gateway: t.Gateway, Notify: func(e portforward.Event) {
		mu.Lock()
		defer mu.Unlock()
		if e.Connected != "" {
			late.Stop()
			ready(e.Connected)
			return
		}
		waiting = e.Waiting
		o.Screen().Say("Waiting: %s", e.Waiting)
	}}
	if err := forward.Serve(serving, listeners); err != nil {
		return err
	}
	if errors.Is(context.Cause(serving), context.DeadlineExceeded) {
		return &problem.Error{What: fmt.Sprintf("no gateway pod became ready in %s: %s", o.timeout, waiting),
			Next: "See why with: kubectl kubeflow doctor", Err: context.DeadlineExceeded}
	}
	return &problem.Error{What: "interrupted: " + url + " is closed", Next: "Open it again with: kubectl kubeflow expose --port-forward", Err: context.Canceled}
}

// warn says what a person may not expect about where it listens.
func (o *exposeOptions) warn(t expose.Target, listeners []net.Listener) {
	address := listeners[0].Addr().(*net.TCPAddr)
	s := o.Screen()
	if o.port == 0 && address.Port != portforward.DefaultPort {
		s.Say("Port %d is taken by another program: using %d.", portforward.DefaultPort, address.Port)
	}
	if !address.IP.IsLoopback() && !t.Authentication.Proven {
		s.Paragraph(EverybodyIsIn(address.String(), t))
	}
}

func EverybodyIsIn(address string, t expose.Target) string {
	return "Warning: every client that can connect to " + address + " has access, because " + t.Authentication.Reason + "."
}

// announce returns what to do when a pod is connected: the first time the URL is the result, later it is news.
func (o *exposeOptions) announce(result *expose.Exposure, url string) func(pod string) {
	first := true
	return func(pod string) {
		s := o.Screen()
		if !first {
			s.Say("Connected again: pod %s", pod)
			return
		}
		first = false
		result.URL = url
		switch o.output {
		case "json", "yaml":
			_ = cli.PrintDocument(o.Out, o.output, result) // a pipe that is gone ends the program by itself
		case "name":
			fmt.Fprintln(o.Out, url)
		default:
			fmt.Fprintf(o.Out, "The dashboard is at %s\n", url)
		}
		s.Say("Connected to pod %s. Ctrl-C ends it.", pod)
		if o.open {
			if err := openBrowser(url); err != nil {
				s.Say("No browser was opened: %v.", err)
			}
		}
	}
}
