// Command bench measures doctor on a large cluster, and an install of Kubeflow 26.03 against the official way (kustomize build | kubectl apply, in a
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
	"strings"
)

// A bench is where everything is that the sides need.
type bench struct {
	plugin, sandbox, kubectl string
	mirror                   string
	work                     string // a folder of its own, removed at the end
	tree                     string // 26.03's manifests, with their remote references made local
}

// sides take turns, each on a sandbox of its own with these flags.
var sides = []struct {
	name    string
	flags   []string
	measure func(*bench, context.Context, figures, string) error
}{
	{"the official loop", nil, (*bench).loop},
	{"kubectl kubeflow install", nil, (*bench).install},
	{"the floor", nil, (*bench).floor},
	{"install without webhooks", nil, (*bench).bareInstall},
	{"the official loop, with images of 5 s", quickImages.flags(), quickImages.loop},
	{"kubectl kubeflow install, with images of 5 s", quickImages.flags(), quickImages.install},
	{"the official loop, with images of 20 to 45 s", slowImages.flags(), slowImages.loop},
	{"kubectl kubeflow install, with images of 20 to 45 s", slowImages.flags(), slowImages.install},
	{"doctor in a crowd", []string{"--api-only"}, (*bench).crowd},
}

func main() {
	rounds := flag.Int("rounds", 5, "how often each side takes its turn")
	only := flag.String("only", "", "measure the sides with this in their name alone")
	out := flag.String("out", "bench/RESULTS.md", "where the results go")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *rounds, *only, *out); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, rounds int, only, out string) error {
	b, err := prepare(ctx)
	if err != nil {
		return err
	}
	defer os.RemoveAll(b.work)
	measured := figures{}
	for round := range rounds {
		for _, side := range sides {
			if !strings.Contains(side.name, only) {
				continue
			}
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, rounds, side.name)
			if err := b.onSandbox(ctx, side.flags, func(kubeconfig string) error { return side.measure(b, ctx, measured, kubeconfig) }); err != nil {
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
