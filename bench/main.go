// Command bench compares an install of Kubeflow 26.03 with the official loop (kustomize build | kubectl apply) and with a
// lower bound, the floor: the same objects in parallel server-side applies. It also measures doctor on a large cluster. The
// sides run in turn, each on its own sandbox, and RESULTS.md gets the medians.
//
// It needs the real archives (KUBEFLOW_MIRROR), and bin/kubectl-kubeflow and bin/sandbox from "make build".
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/mutants"
)

// A bench holds the paths that the sides need.
type bench struct {
	plugin, sandbox, kubectl string
	mirror                   string
	work                     string // temporary, removed at the end
	record                   string // a folder to record in what the server refuses of mutants, or ""
	tree                     string // 26.03's manifests, with remote references replaced by local ones
}

// far are the flags of a sandbox whose API server is as far away as the west coast of America is from Europe.
var far = []string{"--latency=" + roundTrip.String()}

// brokenImages are flags of a sandbox on which the images of mutants cannot be pulled.
var brokenImages = []string{"--pull-failure=" + mutants.NoSuchImage}

// sides run in turn, each on its own sandbox with these flags.
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
	{"doctor, large cluster", []string{"--api-only"}, (*bench).scale},
	{"doctor, mutants of 1.2.0", []string{"--api-only", "--kubernetes=1.21"}, mutate("1.2.0")},
	{"doctor, mutants of 1.10.2", []string{"--api-only"}, mutate("1.10.2")},
	{"doctor, mutants of 26.03", []string{"--api-only"}, mutate("26.03")},
	{"doctor, faults of 1.2.0 that runs", append([]string{"--kubernetes=1.21"}, brokenImages...), running("1.2.0")},
	{"doctor, faults of 1.10.2 that runs", brokenImages, running("1.10.2")},
	{"doctor, faults of 26.03 that runs", brokenImages, running("26.03")},
	{"doctor, many Profiles", []string{"--api-only"}, (*bench).profiles},
	{"doctor, 5000 nodes", []string{"--api-only"}, (*bench).nodes},
	{"120 ms from the server", far, (*bench).distant},
	{"an upgrade, 120 ms from the server", far, (*bench).distantUpgrade},
}

func main() {
	rounds := flag.Int("rounds", 5, "number of rounds")
	only := flag.String("only", "", "measure only the sides whose name contains this")
	out := flag.String("out", "bench/RESULTS.md", "file for the results")
	record := flag.String("record", "", "folder in which to record the mutants that the API server refuses (pkg/doctor/checks/testdata/refused)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *rounds, *only, *out, *record); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, rounds int, only, out, record string) error {
	// The sandbox's programs must collect garbage as they do in a cluster: it would otherwise keep the API server's memory small, at the
	// expense of its time when there are many objects. For every other program these are the defaults.
	if err := errors.Join(os.Setenv("GOGC", "100"), os.Setenv("GOMEMLIMIT", "off")); err != nil {
		return err
	}
	b, err := prepare(ctx)
	if err != nil {
		return err
	}
	defer os.RemoveAll(b.work)
	b.record = record
	measured := figures{}
	for round := range rounds {
		for _, side := range sides {
			if !strings.Contains(side.name, only) {
				continue
			}
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, rounds, side.name)
			measured.add("load average before a side, counted", load())
			if err := b.onSandbox(ctx, side.flags, func(kubeconfig string) error { return side.measure(b, ctx, measured, kubeconfig) }); err != nil {
				return fmt.Errorf("%s: %w", side.name, err)
			}
		}
	}
	return os.WriteFile(out, []byte(measured.report(rounds)), 0o644)
}

// prepare locates the programs and unpacks the manifests.
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

// path returns the absolute path in an environment variable, or a default relative to the repository.
func path(variable, fallback string) string {
	p := os.Getenv(variable)
	if p == "" {
		p = fallback
	}
	if abs, err := filepath.Abs(p); err == nil {
		return abs
	}
	return p
}

// load returns the load average of the last minute, 0 where it is not known.
func load() float64 {
	var last float64
	content, err := os.ReadFile("/proc/loadavg")
	if err == nil {
		_, _ = fmt.Sscan(string(content), &last)
	}
	return last
}
