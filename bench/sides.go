package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// sandboxName is the name of the sandbox that a side runs on.
const sandboxName = "bench"

// onSandbox starts a cluster, calls use with its kubeconfig, and removes the cluster.
func (b *bench) onSandbox(ctx context.Context, flags []string, use func(kubeconfig string) error) error {
	export, err := output(ctx, b.sandbox, append([]string{"up", "--kubernetes=1.35", "--name=" + sandboxName}, flags...)...)
	if err != nil {
		return err
	}
	defer func() { _, _ = output(context.WithoutCancel(ctx), b.sandbox, "down", "--name="+sandboxName) }()
	_, kubeconfig, found := strings.Cut(export, "KUBECONFIG=")
	if !found {
		return fmt.Errorf("the sandbox printed no kubeconfig: %q", export)
	}
	return use(strings.TrimSpace(kubeconfig))
}

// loop is the official procedure: build everything, apply everything, and repeat after 20 seconds until nothing fails.
func (b *bench) loop(ctx context.Context, f figures, kubeconfig string) error {
	for _, part := range []string{"loop first", "loop again"} {
		began := time.Now()
		if err := b.untilApplied(ctx, f, kubeconfig); err != nil {
			return err
		}
		f.add(part, time.Since(began).Seconds())
	}
	return nil
}

func (b *bench) untilApplied(ctx context.Context, f figures, kubeconfig string) error {
	for {
		done, err := b.applyAll(ctx, f, kubeconfig)
		if err != nil || done {
			return err
		}
		time.Sleep(20 * time.Second)
	}
}

// applyAll is one iteration of the loop.
func (b *bench) applyAll(ctx context.Context, f figures, kubeconfig string) (done bool, err error) {
	began := time.Now()
	cmd := exec.CommandContext(ctx, b.kubectl, "kustomize", filepath.Join(b.tree, "example"), "--load-restrictor=LoadRestrictionsNone")
	manifests, err := cmd.Output()
	if err != nil {
		return false, fmt.Errorf("kubectl kustomize: %w", err)
	}
	f.add("kubectl kustomize", time.Since(began).Seconds())
	cmd = exec.CommandContext(ctx, b.kubectl, "--kubeconfig="+kubeconfig, "apply", "--server-side", "--force-conflicts", "-f", "-")
	cmd.Stdin = bytes.NewReader(manifests)
	return cmd.Run() == nil, ctx.Err()
}

// A result is the measured part of install's JSON document.
type result struct {
	Seconds, RenderSeconds, ApplySeconds, ReadySeconds float64
	Result                                             struct{ Applied, Changed int }
}

// install runs kubectl kubeflow install, the first time with a cold cache.
func (b *bench) install(ctx context.Context, f figures, kubeconfig string) error {
	cache, err := os.MkdirTemp(b.work, "cache-")
	if err != nil {
		return err
	}
	for _, part := range []string{"install first", "install again"} {
		r, took, err := b.installWith(ctx, kubeconfig, cache, "--release=26.03", "--mirror="+b.mirror, "--skip-verify")
		if err != nil {
			return err
		}
		f.add(part, took)
		f.add(part+": render", r.RenderSeconds)
		f.add(part+": applied", r.ApplySeconds)
		f.add(part+": ready", r.ReadySeconds)
		f.add(part+": objects written", float64(r.Result.Changed))
	}
	return nil
}

// bareInstall runs kubectl kubeflow install with the objects of the floor.
func (b *bench) bareInstall(ctx context.Context, f figures, kubeconfig string) error {
	for _, part := range []string{"bare install first", "bare install again"} {
		r, _, err := b.installWith(ctx, kubeconfig, b.work, "--filename="+filepath.Join(b.work, "bare.json"), "--adapt=none", "--wait=false")
		if err != nil {
			return err
		}
		f.add(part, r.ApplySeconds)
	}
	return nil
}

func (b *bench) installWith(ctx context.Context, kubeconfig, cache string, flags ...string) (result, float64, error) {
	return b.write(ctx, "install", kubeconfig, cache, flags...)
}

// write runs a command that writes, and returns its result and how many seconds it took.
func (b *bench) write(ctx context.Context, command, kubeconfig, cache string, flags ...string) (result, float64, error) {
	var r result
	began := time.Now()
	cmd := exec.CommandContext(ctx, b.plugin, append([]string{command, "--kubeconfig=" + kubeconfig, "--yes", "-o", "json"}, flags...)...)
	cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+cache)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	body, err := cmd.Output()
	if err != nil {
		return r, 0, fmt.Errorf("%w\n%s", err, stderr.String())
	}
	return r, time.Since(began).Seconds(), json.Unmarshal(body, &r)
}

func output(ctx context.Context, name string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", filepath.Base(name), strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}
