// Command bench measures an install of Kubeflow 26.03 against the official way (kustomize build | kubectl apply, in a
// loop) and against the floor: the same objects in bare parallel server-side applies. The sides take turns, each on a
// sandbox of its own, and RESULTS.md gets the medians.
//
// It needs the real archives (KUBEFLOW_MIRROR), and bin/kubectl-kubeflow and bin/sandbox of "make build".
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
)

// A bench is where everything is that the sides need.
type bench struct {
	plugin, sandbox, kubectl string
	mirror                   string
	work                     string // a folder of its own, removed at the end
	tree                     string // 26.03's manifests, with their remote references made local
}

func main() {
	rounds := flag.Int("rounds", 5, "how often each side takes its turn")
	out := flag.String("out", "bench/RESULTS.md", "where the results go")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *rounds, *out); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, rounds int, out string) error {
	b, err := prepare(ctx)
	if err != nil {
		return err
	}
	defer os.RemoveAll(b.work)
	measured := figures{}
	for round := range rounds {
		for _, side := range []struct {
			name    string
			flags   []string // of the sandbox
			measure func(context.Context, figures, string) error
		}{
			{"the official loop", nil, b.loop},
			{"kubectl kubeflow install", nil, b.install},
			{"the floor", nil, b.floor},
			{"install without webhooks", nil, b.bareInstall},
			{"the official loop, with images that take time", slowImages, b.slowLoop},
			{"kubectl kubeflow install, with images that take time", slowImages, b.slowInstall},
		} {
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, rounds, side.name)
			if err := b.onSandbox(ctx, side.flags, func(kubeconfig string) error { return side.measure(ctx, measured, kubeconfig) }); err != nil {
				return fmt.Errorf("%s: %w", side.name, err)
			}
		}
	}
	return os.WriteFile(out, []byte(measured.report(rounds)), 0o644)
}

// prepare finds the programs and unpacks the manifests.
func prepare(ctx context.Context) (*bench, error) {
	b := &bench{plugin: path("KUBEFLOW_PLUGIN", "bin/kubectl-kubeflow"), sandbox: path("KUBEFLOW_SANDBOX", "bin/sandbox"), mirror: path("KUBEFLOW_MIRROR", "../shared/mirror")}
	for _, file := range []string{b.plugin, b.sandbox, filepath.Join(b.mirror, "github.com")} {
		if _, err := os.Stat(file); err != nil {
			return nil, fmt.Errorf("%w (run make build, and set KUBEFLOW_MIRROR)", err)
		}
	}
	var err error
	if b.work, err = os.MkdirTemp("", "kubeflow-bench-"); err != nil {
		return nil, err
	}
	if b.kubectl, err = output(ctx, b.sandbox, "kubectl", "--kubernetes=1.35"); err != nil {
		return nil, err
	}
	return b, b.unpack()
}

// path is an absolute path from the environment, or from the repository's top folder.
func path(variable, otherwise string) string {
	p := os.Getenv(variable)
	if p == "" {
		p = otherwise
	}
	if abs, err := filepath.Abs(p); err == nil {
		return abs
	}
	return p
}
