package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Signals that tell the process of a sandbox to stop its API server, and to start it again.
const (
	stopSignal  = syscall.SIGUSR1
	startSignal = syscall.SIGUSR2
)

func (c *Cluster) listenForOutages() {
	c.asked = make(chan os.Signal, 8)
	signal.Notify(c.asked, stopSignal, startSignal)
}

func (c *Cluster) outage(ctx context.Context, asked os.Signal) error {
	if asked == stopSignal {
		c.control.StopAPIServer()
		return nil
	}
	if err := c.control.StartAPIServer(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// StopAPIServer kills the API server of a sandbox that runs in another process, and returns when it is gone.
func (p Place) StopAPIServer(ctx context.Context) error {
	config, err := p.signal(stopSignal)
	if err != nil {
		return err
	}
	address, err := url.Parse(config.Host)
	if err != nil {
		return err
	}
	return eventually(ctx, func(ctx context.Context) error {
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", address.Host)
		if err != nil {
			return nil
		}
		_ = connection.Close()
		return errors.New("the API server still answers")
	})
}

// StartAPIServer starts it again, and returns when it is ready.
func (p Place) StartAPIServer(ctx context.Context) error {
	config, err := p.signal(startSignal)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	return eventually(ctx, func(ctx context.Context) error {
		_, err := client.RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		return err
	})
}

func (p Place) signal(s syscall.Signal) (*rest.Config, error) {
	if !p.Running || !p.Ready {
		return nil, fmt.Errorf("sandbox %s is not ready", p.Name)
	}
	if err := syscall.Kill(p.PID, s); err != nil {
		return nil, fmt.Errorf("asking process %d: %w", p.PID, err)
	}
	return clientcmd.BuildConfigFromFlags("", p.Kubeconfig)
}

func eventually(ctx context.Context, done func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := done(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
