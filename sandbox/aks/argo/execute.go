package argo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// longest is how long a step's program may run.
const longest = 20 * time.Second

// execute does what the executor does: it fetches the inputs of a step, runs its program, and stores its outputs and its log. It
// returns the phase of the node and why it failed.
func (c controller) execute(ctx context.Context, w *workflow, n *Node, t task, of *template, pod *corev1.Pod) (phase, message string) {
	objects, err := c.objects(ctx, w.Namespace)
	if err != nil {
		return "Error", "failed to get artifact repository: " + err.Error()
	}
	dir, err := os.MkdirTemp("", "sandbox-step-")
	if err != nil {
		return "Error", err.Error()
	}
	defer os.RemoveAll(dir)
	local := func(path string) string { return filepath.Join(dir, filepath.FromSlash(path)) }
	moved := []string{}
	for _, in := range of.Inputs.Artifacts {
		content, err := objects.Get(ctx, w.source(t, in.Name))
		if err == nil {
			err = write(local(in.Path), content)
		}
		if err != nil {
			return "Error", "failed to load artifact '" + in.Name + "': " + err.Error()
		}
		moved = append(moved, in.Path, local(in.Path))
	}
	for _, out := range of.Outputs.Artifacts {
		_ = os.MkdirAll(filepath.Dir(local(out.Path)), 0o700)
		moved = append(moved, out.Path, local(out.Path))
	}
	log, err := run(ctx, dir, of.Container, strings.NewReplacer(moved...))
	n.Outputs = &artifacts{}
	if stored := c.store(ctx, objects, w, n, "main-logs", log); stored != nil {
		return "Error", "failed to save outputs: " + stored.Error()
	}
	if err != nil {
		c.printed(ctx, pod, string(log))
		return "Failed", err.Error()
	}
	for _, out := range of.Outputs.Artifacts {
		content, err := os.ReadFile(local(out.Path))
		if errors.Is(err, os.ErrNotExist) && !isShell(of.Container) {
			content, err = []byte("simulated\n"), nil
		}
		if err == nil {
			err = c.store(ctx, objects, w, n, out.Name, content)
		}
		if err != nil {
			return "Error", "failed to save outputs: " + strings.ReplaceAll(err.Error(), dir, "")
		}
	}
	return "Succeeded", ""
}

func write(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}

// source is the key of an artifact that another task stored: {{tasks.NAME.outputs.artifacts.ARTIFACT}}.
func (w *workflow) source(t task, name string) string {
	for _, a := range t.Arguments.Artifacts {
		parts := strings.Split(strings.Trim(a.From, "{} "), ".")
		if a.Name != name || len(parts) != 5 {
			continue
		}
		if n := w.Status.Nodes[w.id(parts[1])]; n.Outputs != nil {
			for _, out := range n.Outputs.Artifacts {
				if out.Name == parts[4] && out.S3 != nil {
					return out.S3.Key
				}
			}
		}
	}
	return "missing/" + name
}

func (c controller) store(ctx context.Context, objects interface {
	Put(ctx context.Context, key string, content []byte) error
}, w *workflow, n *Node, name string, content []byte) error {
	at := "artifacts/" + w.Name + "/" + n.ID + "/" + name
	if err := objects.Put(ctx, at, content); err != nil {
		return err
	}
	n.Outputs.Artifacts = append(n.Outputs.Artifacts, artifact{Name: name, S3: &key{at}})
	return nil
}

// isShell reports whether the program is a script for sh that needs nothing else.
func isShell(container *corev1.Container) bool {
	words := append(append([]string{}, container.Command...), container.Args...)
	return len(words) > 2 && words[0] == "sh" && strings.HasPrefix(words[1], "-") && !strings.Contains(words[2], "python")
}

// run runs a script with the paths of artifacts moved. Other programs are not run.
func run(ctx context.Context, dir string, container *corev1.Container, move *strings.Replacer) ([]byte, error) {
	if !isShell(container) {
		return []byte("simulated\n"), nil
	}
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	var words []string
	for _, word := range append(append([]string{}, container.Command...), container.Args...) {
		words = append(words, move.Replace(word))
	}
	cmd := exec.CommandContext(ctx, "/bin/sh", words[1:]...)
	cmd.Dir, cmd.Env = dir, []string{"PATH=/usr/bin:/bin", "HOME=" + dir}
	log, err := cmd.CombinedOutput()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		return log, fmt.Errorf("Error (exit code %d)", ended.ExitCode())
	}
	return log, err
}

// printed makes a step's output the log of its container.
func (c controller) printed(ctx context.Context, pod *corev1.Pod, log string) {
	changed := pod.DeepCopy()
	changed.Status.Phase = corev1.PodFailed
	for i := range changed.Status.ContainerStatuses {
		if s := &changed.Status.ContainerStatuses[i]; s.Name == "main" && s.State.Terminated != nil {
			s.State.Terminated.ExitCode, s.State.Terminated.Reason, s.State.Terminated.Message = 1, "Error", log
		}
	}
	_, _ = c.client.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, changed, metav1.UpdateOptions{FieldManager: "kubelet"})
}
