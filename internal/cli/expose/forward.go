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
	{Title: "Port forwarding", Flags: []string{"address", "open"}},
}}

// runPortForward forwards a port of this computer to the dashboard until Ctrl-C.
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
	waiting := "the gateway has no ready pod"
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
		return &problem.Error{What: fmt.Sprintf("timed out after %s: no gateway pod is ready: %s", o.timeout, waiting),
			Next: "To find the cause: kubectl kubeflow doctor", Err: context.DeadlineExceeded}
	}
	o.Screen().Say("The port-forward to %s has ended.", url) // Ctrl-C is how it ends
	return nil
}

// warn reports an unexpected port, and a listener that other computers can reach without authentication.
func (o *exposeOptions) warn(t expose.Target, listeners []net.Listener) {
	address := listeners[0].Addr().(*net.TCPAddr)
	s := o.Screen()
	if o.port == 0 && address.Port != portforward.DefaultPort {
		s.Say("Port %d is in use: using %d.", portforward.DefaultPort, address.Port)
	}
	if !address.IP.IsLoopback() && !t.Authentication.Proven {
		s.Paragraph(UnauthenticatedWarning(address.String(), t))
	}
}

// UnauthenticatedWarning warns that everyone who can connect to an address has access.
func UnauthenticatedWarning(address string, t expose.Target) string {
	return "Warning: every client that can connect to " + address + " has access, because " + t.Authentication.Reason + "."
}

// announce returns the function to call when a pod is connected. The first call prints the URL as the result.
func (o *exposeOptions) announce(result *expose.Exposure, url string) func(pod string) {
	first := true
	return func(pod string) {
		s := o.Screen()
		if !first {
			s.Say("Reconnected to pod %s", pod)
			return
		}
		first = false
		o.Idle() // Ctrl-C is how it ends
		result.URL = url
		switch o.output {
		case "json", "yaml":
			_ = cli.PrintDocument(o.Out, o.output, result) // a closed pipe ends the program
		case "name":
			fmt.Fprintln(o.Out, url)
		default:
			fmt.Fprintf(o.Out, "The dashboard is at %s\n", url)
		}
		s.Say("Connected to pod %s. Press Ctrl-C to stop.", pod)
		if o.open {
			if err := openBrowser(url); err != nil {
				s.Say("Could not open a browser: %v.", err)
			}
		}
	}
}
