package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// scale measures doctor on a small cluster and on a large one: its requests, its time compared with listing all pods, and its
// memory. The cluster is an API server without controllers, so that nothing else uses the CPUs.
func (b *bench) scale(ctx context.Context, f figures, kubeconfig string) error {
	if err := b.kubeflow(ctx, kubeconfig); err != nil {
		return err
	}
	if err := grow(ctx, kubeconfig, clusterSize{}, clusterSize{nodes: 3, users: 1}); err != nil {
		return err
	}
	if err := b.doctor(ctx, f, kubeconfig, "doctor, small cluster"); err != nil {
		return err
	}
	if err := grow(ctx, kubeconfig, clusterSize{nodes: 3, users: 1}, clusterSize{nodes: 1000, namespaces: 100, pods: 20000, users: 200}); err != nil {
		return fmt.Errorf("growing the cluster: %w", err)
	}
	for range 5 {
		if err := b.doctor(ctx, f, kubeconfig, "doctor, large cluster"); err != nil {
			return err
		}
		took, _, err := timed(exec.CommandContext(ctx, b.kubectl, "--kubeconfig="+kubeconfig, "get", "pods", "-A", "-o", "json"))
		if err != nil {
			return err
		}
		f.add("kubectl get pods -A -o json", took)
	}
	f.add("limit: MB", 200)
	return nil
}

// kubeflow creates the objects of Kubeflow without webhooks, which nothing would serve.
func (b *bench) kubeflow(ctx context.Context, kubeconfig string) error {
	objects, err := b.bare(ctx)
	if err != nil {
		return err
	}
	client, err := b.connect(kubeconfig)
	if err != nil {
		return err
	}
	for _, first := range []bool{true, false} { // objects of the second pass are retried until their CRDs are established
		if err := applySide(ctx, client, objects, first); err != nil {
			return err
		}
	}
	return nil
}

// profiles measures doctor on clusters with more and more Profiles, in each of which ten pods have no sidecar.
func (b *bench) profiles(ctx context.Context, f figures, kubeconfig string) error {
	if err := b.kubeflow(ctx, kubeconfig); err != nil {
		return err
	}
	size := clusterSize{}
	for _, users := range []int{300, 1000, 3000} {
		larger := clusterSize{nodes: 300, users: users, podsEach: 10}
		if err := grow(ctx, kubeconfig, size, larger); err != nil {
			return fmt.Errorf("growing the cluster: %w", err)
		}
		size = larger
		if err := b.doctor(ctx, f, kubeconfig, fmt.Sprintf("doctor, %d Profiles", users)); err != nil {
			return err
		}
	}
	f.add("limit: s", 5)
	f.add("limit: 300 MB", 300)
	return nil
}

// nodes measures doctor on a cluster as large as AKS allows, against the same cluster when it was small.
func (b *bench) nodes(ctx context.Context, f figures, kubeconfig string) error {
	if err := b.kubeflow(ctx, kubeconfig); err != nil {
		return err
	}
	small := clusterSize{nodes: 3, users: 1}
	large := clusterSize{nodes: 5000, namespaces: 500, pods: 100_000, users: 1000, routes: 5000}
	if err := grow(ctx, kubeconfig, clusterSize{}, small); err != nil {
		return err
	}
	if err := b.doctor(ctx, f, kubeconfig, "doctor, before 5000 nodes"); err != nil {
		return err
	}
	if err := grow(ctx, kubeconfig, small, large); err != nil {
		return fmt.Errorf("growing the cluster: %w", err)
	}
	f.add("limit: 150 MB", 150)
	return b.doctor(ctx, f, kubeconfig, "doctor, 5000 nodes")
}

// doctor runs once through a counting proxy, and once without it to measure time and memory.
func (b *bench) doctor(ctx context.Context, f figures, kubeconfig, name string) error {
	counted, requests, stop, err := count(kubeconfig, b.work)
	if err != nil {
		return err
	}
	_, _, err = timed(exec.CommandContext(ctx, b.plugin, "--kubeconfig="+counted, "doctor", "-o", "json"))
	stop()
	if err != nil {
		return err
	}
	f.add(name+": requests without paging, counted", float64(requests.Load()))
	took, megabytes, err := timed(exec.CommandContext(ctx, b.plugin, "--kubeconfig="+kubeconfig, "doctor", "-o", "json"))
	if err != nil {
		return err
	}
	f.add(name, took)
	f.add(name+": MB", megabytes)
	return nil
}

// timed runs a command and returns its duration in seconds and its peak memory in MB. Exit code 3 (findings) is not a failure.
// The memory is sampled while the command runs, because the rusage at exit includes the memory of this program, its parent.
func timed(cmd *exec.Cmd) (seconds, megabytes float64, err error) {
	cmd.Stdout = io.Discard
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	ended := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		for {
			megabytes = max(megabytes, peak(cmd.Process.Pid))
			select {
			case <-ended:
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	})
	err = cmd.Wait()
	seconds = time.Since(began).Seconds()
	close(ended)
	watch.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 3 {
		err = nil
	}
	return seconds, megabytes, err
}

// peak returns the peak memory of a process so far, in MB.
func peak(pid int) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	var kilobytes float64
	_, _ = fmt.Sscan(after, &kilobytes)
	return kilobytes / 1024
}

// count returns a kubeconfig for a proxy that counts requests, except those for further pages of a list.
func count(kubeconfig, dir string) (path string, n *atomic.Int64, stop func(), err error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return "", nil, nil, err
	}
	transport, err := rest.TransportFor(config)
	if err != nil {
		return "", nil, nil, err
	}
	server, err := url.Parse(config.Host)
	if err != nil {
		return "", nil, nil, err
	}
	n = &atomic.Int64{}
	proxy := httputil.NewSingleHostReverseProxy(server)
	proxy.Transport = transport
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, nil, err
	}
	front := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("continue") == "" {
			n.Add(1)
		}
		proxy.ServeHTTP(w, r)
	})}
	go func() { _ = front.Serve(listener) }()
	path = filepath.Join(dir, "counted.kubeconfig")
	text := fmt.Sprintf("apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{name: c, cluster: {server: \"http://%s\"}}]\ncontexts: [{name: c, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {}}]\n", listener.Addr())
	return path, n, func() { _ = front.Close() }, os.WriteFile(path, []byte(text), 0o600)
}
