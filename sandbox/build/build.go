package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Programs are the files of one Kubernetes version's control plane, and oauth2-proxy.
type Programs struct {
	Kubernetes string // full version, "v1.35.4"

	Etcd, APIServer, ControllerManager, Scheduler, Kubectl, Kwok string

	OAuth2Proxy string
}

// Ensure returns the programs for a Kubernetes version, one of Versions. It
// first builds those that are missing from the cache, and logs its progress; if
// none is missing it logs nothing.
func Ensure(ctx context.Context, version string, log io.Writer) (Programs, error) {
	version, err := Resolve(version)
	if err != nil {
		return Programs{}, err
	}
	cache, err := CacheDir()
	if err != nil {
		return Programs{}, err
	}
	kubernetes := kubernetesVersions[version]
	dirs := map[string]string{}
	for _, c := range []component{etcd, kwok, oauth2Proxy, kubernetes} {
		dir, err := c.ensure(ctx, cache, log)
		if err != nil {
			return Programs{}, fmt.Errorf("building %s %s: %w", c.name, c.version, err)
		}
		dirs[c.name] = dir
	}
	k8s := dirs["kubernetes"]
	return Programs{
		Kubernetes:        kubernetes.version,
		Etcd:              filepath.Join(dirs["etcd"], "etcd"),
		Kwok:              filepath.Join(dirs["kwok"], "kwok"),
		OAuth2Proxy:       filepath.Join(dirs["oauth2-proxy"], "oauth2-proxy"),
		APIServer:         filepath.Join(k8s, "kube-apiserver"),
		ControllerManager: filepath.Join(k8s, "kube-controller-manager"),
		Scheduler:         filepath.Join(k8s, "kube-scheduler"),
		Kubectl:           filepath.Join(k8s, "kubectl"),
	}, nil
}

// ensure returns the folder with the component's programs. The folder appears
// atomically, by a rename, so it is always complete.
func (c component) ensure(ctx context.Context, cache string, log io.Writer) (string, error) {
	folder, err := c.folder()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, folder)
	if exists(dir) {
		return dir, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	unlock, err := lock(ctx, cache, func() { say(log, "waiting for another process that is building") })
	if err != nil {
		return "", err
	}
	defer unlock()
	if exists(dir) { // the other process built it
		return dir, nil
	}
	sweep(cache)
	work, err := os.MkdirTemp(cache, ".building-")
	if err != nil {
		return "", err
	}
	defer removeAll(work)
	if err := c.compile(ctx, work, log); err != nil {
		return "", err
	}
	return dir, os.Rename(filepath.Join(work, "bin"), dir)
}

// compile builds the component's programs into work/bin.
func (c component) compile(ctx context.Context, work string, log io.Writer) error {
	if err := c.writeModule(work); err != nil {
		return err
	}
	args := []string{"build", "-buildvcs=false", "-trimpath", "-ldflags=" + c.ldflags(), "-o", "bin/"}
	// Debug information, which the linker strips anyway, takes a tenth of the time. Other packages are compiled as usual, which lets
	// go reuse what it compiled for the plugin.
	args = append(args, "-gcflags=k8s.io/...=-dwarf=false")
	for _, packages := range c.alone { // optimizing them takes longer than they ever run
		args = append(args, "-gcflags="+packages+"=-dwarf=false -N -l")
	}
	if c.openAPI {
		say(log, "generating OpenAPI definitions of %s %s, which are missing from its tag", c.name, c.version)
		modfile, err := c.generateOpenAPI(ctx, work)
		if err != nil {
			return fmt.Errorf("generating OpenAPI definitions: %w", err)
		}
		args = append(args, "-modfile="+modfile)
	}
	if err := os.Mkdir(filepath.Join(work, "bin"), 0o755); err != nil {
		return err
	}
	// One go build for all programs: while one is linked, packages of the others are compiled. Each is named after its package.
	start := time.Now()
	say(log, "building %s %s (once; kept for later starts)", c.name, c.version)
	if _, err := goTool(ctx, work, append(args, c.packages...)...); err != nil {
		return err
	}
	say(log, "built %s %s in %s", c.name, c.version, time.Since(start).Round(100*time.Millisecond))
	return nil
}

// writeModule creates the Go module folder in which the component is built.
func (c component) writeModule(work string) error {
	mod, sum, err := c.files()
	if err != nil {
		return err
	}
	files := map[string][]byte{"go.mod": mod, "go.sum": sum}
	if c.main != "" {
		files["main.go"] = []byte(c.main)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(work, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// goTool runs the go command in a folder and returns its output. It disables
// workspaces and cgo, because both depend on the machine and change the result.
func goTool(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case errors.Is(err, exec.ErrNotFound):
		return "", errors.New("building the control plane requires the go command, which is not in PATH")
	case err != nil:
		return "", fmt.Errorf("go %s: %w\n%s", args[0], err, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.String(), nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func say(log io.Writer, format string, args ...any) {
	if log != nil {
		fmt.Fprintf(log, "sandbox: "+format+"\n", args...)
	}
}
