package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/mutants"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
)

// runningEach is how many faults a running release gets, one after the other.
const runningEach = 40

// running returns what measures how many faults of a Kubeflow that runs the doctor explains. Each is made with kubectl's field manager, and
// reverted before the next.
func running(version string) func(*bench, context.Context, figures, string) error {
	return func(b *bench, ctx context.Context, f figures, kubeconfig string) error {
		cache, err := os.MkdirTemp(b.work, "cache-")
		if err != nil {
			return err
		}
		if _, _, err := b.installWith(ctx, kubeconfig, cache, "--release="+version, "--mirror="+b.mirror, "--skip-verify"); err != nil {
			return err
		}
		client, err := b.connect(kubeconfig)
		if err != nil {
			return err
		}
		c := &victim{bench: b, client: client, kubeconfig: kubeconfig, applied: map[cluster.Ref]*unstructured.Unstructured{}}
		before, err := c.findings(ctx)
		if err != nil {
			return err
		}
		f.add("doctor, "+version+" that runs: findings before the first fault, counted", float64(len(before)))
		c.known = before
		objects, err := c.installed(ctx, version)
		if err != nil {
			return err
		}
		for _, m := range mutants.Running(1, runningEach, objects) {
			if err := c.suffer(ctx, f, version, m); err != nil {
				return fmt.Errorf("%s: %w", m, err)
			}
		}
		return ctx.Err()
	}
}

// A victim is a cluster on which faults are made.
type victim struct {
	bench      *bench
	client     *cluster.Client
	kubeconfig string
	known      []string // what the doctor says of it without a fault
	applied    map[cluster.Ref]*unstructured.Unstructured
}

// installed returns the objects of a release as they are on the cluster, and remembers what install applied.
func (c *victim) installed(ctx context.Context, version string) ([]*unstructured.Unstructured, error) {
	manifests, err := output(ctx, c.bench.plugin, "build", "--release="+version, "--mirror="+c.bench.mirror, "--skip-verify", "-o", "json")
	if err != nil {
		return nil, err
	}
	var list struct{ Items []map[string]any }
	if err := json.Unmarshal([]byte(manifests), &list); err != nil {
		return nil, err
	}
	var objects []*unstructured.Unstructured
	for _, item := range list.Items {
		o := &unstructured.Unstructured{Object: item}
		live, err := c.client.View().Get(ctx, cluster.RefOf(o))
		if apierrors.IsNotFound(err) {
			continue // the install left it out
		} else if err != nil {
			return nil, err
		}
		c.applied[cluster.RefOf(live).Identity()] = o
		objects = append(objects, live)
	}
	return objects, nil
}

// suffer makes a fault, asks the doctor until it explains it, and reverts it. What the server refuses, or a controller of the cluster reverts
// at once, is no fault.
func (c *victim) suffer(ctx context.Context, f figures, version string, m mutants.Mutant) error {
	if refused, err := c.break1(ctx, m); refused || err != nil {
		return err
	}
	name := mutantFigure + version + " that runs: " + m.Kind
	hit, healed, said := 0.0, false, []string(nil)
	for _, wait := range []time.Duration{time.Second, 4 * time.Second, 10 * time.Second} {
		time.Sleep(wait)
		var err error
		if said, err = c.findings(ctx); err != nil {
			return err
		}
		if m.Named(said) {
			hit = 1
			break
		}
		if healed, err = c.healed(ctx, m); err != nil || healed {
			break
		}
	}
	if !healed {
		f.add(name, hit)
	}
	if hit == 0 && !healed {
		fmt.Fprintf(os.Stderr, "not explained: %s: %q\n", m, said)
	}
	return c.revert(ctx, f, version, m)
}

// break1 makes a fault, and reports whether the server refuses it.
func (c *victim) break1(ctx context.Context, m mutants.Mutant) (refused bool, err error) {
	live, err := c.client.View().Get(ctx, cluster.RefOf(m.Before))
	if err != nil {
		return false, err
	}
	change := cluster.Change{Verb: cluster.Delete, Before: live}
	if m.After != nil {
		change = cluster.Edit(live, func(o *unstructured.Unstructured) { restore(o, m.After) })
	}
	_, err = c.client.Do(ctx, change, cluster.Options{Manager: "kubectl-edit"})
	if apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || apierrors.IsForbidden(err) {
		return true, nil
	}
	return false, err
}

// healed reports whether a controller of the cluster reverted the fault.
func (c *victim) healed(ctx context.Context, m mutants.Mutant) (bool, error) {
	live, err := c.client.View().Get(ctx, cluster.RefOf(m.Before))
	switch {
	case apierrors.IsNotFound(err):
		return false, nil
	case err != nil:
		return false, err
	case m.After == nil:
		return live.GetDeletionTimestamp() == nil, nil
	}
	reverted := live.DeepCopy()
	restore(reverted, m.Before)
	return cluster.Diff(live, reverted) == "", nil
}

// restore gives an object what another version of it has, but for what the server keeps.
func restore(o, from *unstructured.Unstructured) {
	for key := range o.Object {
		if key != "metadata" && key != "status" {
			delete(o.Object, key)
		}
	}
	for key, value := range from.DeepCopy().Object {
		if key != "metadata" && key != "status" {
			o.Object[key] = value
		}
	}
	o.SetLabels(from.GetLabels())
}

// revert applies the object as it was, and waits until the doctor has nothing to say. That it still has is a false alarm.
func (c *victim) revert(ctx context.Context, f figures, version string, m mutants.Mutant) error {
	live, err := c.client.View().Get(ctx, cluster.RefOf(m.Before))
	if err == nil && m.After != nil {
		change := cluster.Edit(live, func(o *unstructured.Unstructured) { restore(o, m.Before) })
		if _, err := c.client.Do(ctx, change, cluster.Options{Manager: "kubectl-edit"}); err != nil {
			return err
		}
	} else if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	if _, err := c.client.Do(ctx, cluster.Change{Verb: cluster.Apply, After: c.applied[cluster.RefOf(m.Before).Identity()]}, cluster.Options{Manager: inventory.Manager, Force: true}); err != nil {
		return err
	}
	if err := c.replaceFirstPod(ctx, m.Before); err != nil {
		return err
	}
	var said []string
	for range 20 {
		if said, err = c.findings(ctx); err != nil {
			return err
		} else if len(said) == 0 {
			break
		}
		time.Sleep(2 * time.Second)
	}
	alarm := 0.0
	if len(said) > 0 {
		alarm = 1
		fmt.Fprintf(os.Stderr, "after %s: %q\n", m, said)
	}
	f.add("doctor, "+version+" that runs: findings after a fault was reverted, counted", alarm)
	return nil
}

// replaceFirstPod deletes the first pod of a StatefulSet if it is not ready: Kubernetes does not replace one that never became ready.
func (c *victim) replaceFirstPod(ctx context.Context, set *unstructured.Unstructured) error {
	if set.GetKind() != "StatefulSet" {
		return nil
	}
	pod, err := c.client.View().Get(ctx, cluster.Ref{APIVersion: "v1", Kind: "Pod", Namespace: set.GetNamespace(), Name: set.GetName() + "-0"})
	if apierrors.IsNotFound(err) || err == nil && kube.PodReady(pod) {
		return nil
	} else if err != nil {
		return err
	}
	_, err = c.client.Do(ctx, cluster.Change{Verb: cluster.Delete, Before: pod}, cluster.Options{Manager: "kubectl-edit"})
	return err
}

// findings returns what the doctor says of the cluster that it did not say before the first fault, as texts: errors and warnings.
func (c *victim) findings(ctx context.Context) ([]string, error) {
	out, err := exec.CommandContext(ctx, c.bench.plugin, "--kubeconfig="+c.kubeconfig, "doctor", "-o", "json").Output()
	var exit *exec.ExitError
	if err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 3) {
		return nil, fmt.Errorf("doctor: %w", err)
	}
	var report struct {
		Checks []struct {
			ID       string
			Findings []struct {
				Severity, Message, Cause, Advice string
				About                            json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(out, &report); err != nil {
		return nil, err
	}
	var said []string
	for _, check := range report.Checks {
		for _, x := range check.Findings {
			if slices.Contains([]string{"error", "warning"}, x.Severity) {
				text := strings.Join([]string{check.ID, string(x.About), x.Message, x.Cause, x.Advice}, " ")
				if !slices.Contains(c.known, text) {
					said = append(said, text)
				}
			}
		}
	}
	return said, nil
}
