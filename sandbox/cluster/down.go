package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// ErrNone means that there is no sandbox with that name.
var ErrNone = errors.New("no such sandbox")

// Down stops a sandbox that runs in another process, and removes its files.
func Down(ctx context.Context, name string) error {
	place, err := Find(name)
	if err != nil {
		return err
	}
	if place.Running {
		if err := place.end(ctx); err != nil {
			return fmt.Errorf("stopping sandbox %s: %w", name, err)
		}
	}
	all, err := root()
	if err != nil {
		return err
	}
	return alone(all, func() error {
		sweep(all)
		return nil
	})
}

// Find returns the sandbox with that name, or ErrNone.
func Find(name string) (Place, error) {
	places, err := List()
	if err != nil {
		return Place{}, err
	}
	for _, p := range places {
		if p.Name == name {
			return p, nil
		}
	}
	return Place{}, fmt.Errorf("%s: %w", name, ErrNone)
}

// end terminates the sandbox's process, and kills it after a timeout.
func (p Place) end(ctx context.Context) error {
	if p.PID <= 0 {
		return errors.New("its process is not known yet, because it is still starting")
	}
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if err := syscall.Kill(p.PID, signal); err != nil && !errors.Is(err, os.ErrProcessDone) && !errors.Is(err, syscall.ESRCH) {
			return err
		}
		if p.gone(ctx, 15*time.Second) {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return fmt.Errorf("process %d does not exit", p.PID)
}

func (p Place) gone(ctx context.Context, patience time.Duration) bool {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline) && ctx.Err() == nil; {
		if !held(p.lockFile()) {
			return true
		}
		time.Sleep(30 * time.Millisecond)
	}
	return false
}
