package controlplane

import (
	"context"
	"fmt"
	"slices"
)

// StopAPIServer kills the API server, as a crash does. Until StartAPIServer is called, connections are refused. The
// other programs keep running, and so does etcd with everything that was stored.
func (c *ControlPlane) StopAPIServer() {
	if i := c.apiServer(); i >= 0 {
		c.running[i].kill()
		c.running = slices.Delete(c.running, i, i+1)
	}
}

// StartAPIServer starts the API server again, at the same address and with the same etcd, and returns when it is ready.
func (c *ControlPlane) StartAPIServer(ctx context.Context) error {
	if c.apiServer() >= 0 {
		return nil
	}
	started, err := startProcess(apiServerName, c.programs.APIServer, c.dir.path("logs"), c.apiServerArgs())
	if err != nil {
		return err
	}
	c.running = slices.Insert(c.running, 1, started) // after etcd, so that Stop stops it before
	if err := c.await(ctx, c.apiServerReady); err != nil {
		return fmt.Errorf("waiting for %s: %w", apiServerName, err)
	}
	return c.restartControllers()
}

// restartControllers starts the controller manager anew, as it does itself where it loses its leader election. One that keeps running tries
// again to reach the API server after up to a minute only.
func (c *ControlPlane) restartControllers() error {
	i := slices.IndexFunc(c.running, func(p *process) bool { return p.name == controllerManagerName })
	if i < 0 {
		return nil
	}
	c.running[i].kill()
	started, err := startProcess(controllerManagerName, c.programs.ControllerManager, c.dir.path("logs"), c.controllerManagerArgs())
	if err != nil {
		return err
	}
	c.running[i] = started
	return nil
}

func (c *ControlPlane) apiServer() int {
	return slices.IndexFunc(c.running, func(p *process) bool { return p.name == apiServerName })
}
