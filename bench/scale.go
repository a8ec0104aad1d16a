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

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// A clusterSize is how many objects a cluster has besides Kubeflow's own.
type clusterSize struct {
	nodes, namespaces int
	pods              int // in these namespaces, not Kubeflow's
	users             int // of Kubeflow, each with a profile namespace and a notebook
}

// scale measures doctor on a small cluster and on a large one: its requests, its time compared with listing all pods, and its
// memory. The cluster is an API server without controllers, so that nothing else uses the CPUs.
func (b *bench) scale(ctx context.Context, f figures, kubeconfig string) error {
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
	if err := grow(ctx, kubeconfig, clusterSize{}, clusterSize{nodes: 3, users: 1}); err != nil {
		return err
	}
	if err := b.doctor(ctx, f, kubeconfig, "doctor, small cluster"); err != nil {
		return err
	}
	if err := grow(ctx, kubeconfig, clusterSize{nodes: 3, users: 1}, clusterSize{1000, 100, 20000, 200}); err != nil {
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

// grow creates the objects that a cluster of one size needs to reach another.
func grow(ctx context.Context, kubeconfig string, from, to clusterSize) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1
	config.ContentType = "application/vnd.kubernetes.protobuf"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	steps := []struct {
		from, to int
		create   func(i int) error
	}{
		{from.nodes, to.nodes, func(i int) error {
			_, err := client.CoreV1().Nodes().Create(ctx, benchNode(i), metav1.CreateOptions{})
			return err
		}},
		{from.namespaces, to.namespaces, func(i int) error { return createNamespace(ctx, client, fmt.Sprintf("scale-%d", i), nil) }},
		{from.users, to.users, func(i int) error {
			return createNamespace(ctx, client, fmt.Sprintf("user-%d", i), map[string]string{"app.kubernetes.io/part-of": "kubeflow-profile"})
		}},
		{from.pods, to.pods, func(i int) error {
			return createPod(ctx, client, fmt.Sprintf("scale-%d", i%to.namespaces), i%to.nodes, i, nil)
		}},
		{from.users, to.users, func(i int) error {
			return createPod(ctx, client, fmt.Sprintf("user-%d", i), i%to.nodes, i, map[string]string{"notebook-name": "n"})
		}},
	}
	for _, step := range steps {
		if err := many(step.from, step.to, step.create); err != nil {
			return err
		}
	}
	return nil
}

// many calls do for each number in [from, to), 32 at a time.
func many(from, to int, do func(i int) error) error {
	var next atomic.Int64
	next.Store(int64(from))
	var wait sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for range 32 {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < to; i = int(next.Add(1)) - 1 {
				if err := do(i); err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()
					return
				}
			}
		})
	}
	wait.Wait()
	return failed
}

func createNamespace(ctx context.Context, client kubernetes.Interface, name string, labels map[string]string) error {
	_, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}, metav1.CreateOptions{})
	if err == nil { // the API server runs without controllers
		_, err = client.CoreV1().ServiceAccounts(name).Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}}, metav1.CreateOptions{})
	}
	return err
}

func benchNode(i int) *corev1.Node {
	size := corev1.ResourceList{"cpu": resource.MustParse("8"), "memory": resource.MustParse("32Gi"), "pods": resource.MustParse("110")}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("aks-scale-%d", i), Labels: map[string]string{
			"kubernetes.azure.com/cluster": "MC_bench", "kubernetes.azure.com/agentpool": "scale", "kubernetes.azure.com/mode": "user", "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
			"node.kubernetes.io/instance-type": "Standard_D8s_v5", "kubernetes.io/hostname": fmt.Sprintf("aks-scale-%d", i),
		}},
		Status: corev1.NodeStatus{Allocatable: size, Capacity: size, NodeInfo: corev1.NodeSystemInfo{ContainerRuntimeVersion: "containerd://1.7.30-1", KubeletVersion: "v1.35.4", OperatingSystem: "linux", Architecture: "amd64"}},
	}
}

func createPod(ctx context.Context, client kubernetes.Interface, namespace string, node, i int, labels map[string]string) error {
	resources := corev1.ResourceRequirements{Requests: corev1.ResourceList{"cpu": resource.MustParse("100m"), "memory": resource.MustParse("128Mi")}}
	pod, err := client.CoreV1().Pods(namespace).Create(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("p-%d", i), Labels: labels},
		Spec: corev1.PodSpec{NodeName: fmt.Sprintf("aks-scale-%d", node), Containers: []corev1.Container{
			{Name: "web", Image: "example.com/web:1", Resources: resources, Env: []corev1.EnvVar{{Name: "NAMESPACE", Value: namespace}}},
			{Name: "log", Image: "example.com/log:1", Resources: resources},
		}},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}}
	pod.Status = corev1.PodStatus{Phase: corev1.PodRunning, PodIP: "10.0.0.1", Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}, ContainerStatuses: []corev1.ContainerStatus{
		{Name: "web", Ready: true, State: running, Image: "example.com/web:1"}, {Name: "log", Ready: true, State: running, Image: "example.com/log:1"},
	}}
	_, err = client.CoreV1().Pods(namespace).UpdateStatus(ctx, pod, metav1.UpdateOptions{})
	return err
}
