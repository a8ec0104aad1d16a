package notebooks

import (
	"context"
	"fmt"
	"net"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// A server is the process of one pod.
type server struct {
	pod     types.UID
	address string
	proxy   *httputil.ReverseProxy
	dir     string
	cmd     *exec.Cmd
	ended   chan struct{}
}

// start runs a pod's server until its context ends or it is stopped. Without Jupyter it returns nil.
func start(ctx context.Context, pod *corev1.Pod) (*server, error) {
	if !installed() {
		return nil, nil
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "sandbox-notebook-")
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(address)
	s := &server{pod: pod.UID, address: address, dir: dir, ended: make(chan struct{}), cmd: command(dir, pathOf(pod), port)}
	s.proxy = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: address})
		r.Out.Host = r.In.Host
	}}
	log, err := os.Create(filepath.Join(dir, "server.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the server of notebook pod %s: %w", pod.Name, err)
	}
	go func() {
		_ = s.cmd.Wait()
		close(s.ended)
		_ = os.RemoveAll(dir)
	}()
	context.AfterFunc(ctx, s.stop)
	return s, nil
}

// stop ends the process; it ends its kernels itself.
func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(3 * time.Second):
		_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
		<-s.ended
	}
}

func (s *server) listens() bool {
	conn, err := net.DialTimeout("tcp", s.address, time.Second)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)), nil
}
