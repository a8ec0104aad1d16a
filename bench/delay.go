package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// roundTrip is how far away the API server is: Europe to the west coast of America.
const roundTrip = 120 * time.Millisecond

// distant measures the commands that people wait for, near the server and at a distance.
func (b *bench) distant(ctx context.Context, f figures, far string) error {
	near, err := b.near(ctx)
	if err != nil {
		return err
	}
	cache, err := os.MkdirTemp(b.work, "cache-")
	if err != nil {
		return err
	}
	for _, part := range []string{"distant install first", "distant install again"} {
		r, took, err := b.installWith(ctx, far, cache, "--release=26.03", "--mirror="+b.mirror, "--skip-verify")
		if err != nil {
			return err
		}
		f.add(part, took)
		f.add(part+": applied", r.ApplySeconds)
		f.add(part+": ready", r.ReadySeconds)
	}
	for _, command := range []string{"doctor", "status", "expose"} {
		for _, side := range []struct{ name, kubeconfig string }{{"near ", near}, {"distant ", far}} {
			took, megabytes, err := timed(exec.CommandContext(ctx, b.plugin, "--kubeconfig="+side.kubeconfig, command, "-o", "json"))
			if err != nil {
				return fmt.Errorf("%s%s: %w", side.name, command, err)
			}
			f.add(side.name+command, took)
			f.add(side.name+command+": MB", megabytes)
		}
	}
	f.add("limit: doctor, distant", 2)
	f.add("limit: status, expose, distant", 1.5)
	f.add("limit: install again, distant", 3)
	return nil
}

// distantUpgrade measures an upgrade at a distance. What it starts from is installed without one.
func (b *bench) distantUpgrade(ctx context.Context, f figures, far string) error {
	near, err := b.near(ctx)
	if err != nil {
		return err
	}
	cache, err := os.MkdirTemp(b.work, "cache-")
	if err != nil {
		return err
	}
	if _, _, err := b.installWith(ctx, near, cache, "--release=1.10.2", "--mirror="+b.mirror, "--skip-verify"); err != nil {
		return err
	}
	r, took, err := b.write(ctx, "upgrade", far, cache, "--release=26.03", "--mirror="+b.mirror, "--skip-verify", "--backup=none")
	if err != nil {
		return err
	}
	f.add("distant upgrade from 1.10.2", took)
	f.add("distant upgrade from 1.10.2: applied", r.ApplySeconds)
	f.add("distant upgrade from 1.10.2: ready", r.ReadySeconds)
	return nil
}

// near returns the kubeconfig of the benchmark's sandbox that has no latency.
func (b *bench) near(ctx context.Context) (string, error) {
	listed, err := output(ctx, b.sandbox, "status")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(listed) {
		if columns := strings.Fields(line); len(columns) > 1 && columns[0] == sandboxName {
			return columns[len(columns)-1], nil
		}
	}
	return "", fmt.Errorf("the sandbox does not list %s:\n%s", sandboxName, listed)
}
