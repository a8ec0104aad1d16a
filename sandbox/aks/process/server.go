package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
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

// A server is the program of one pod: a process, or one that this process simulates.
type server struct {
	pod     types.UID
	handler http.Handler
	address string
	dir     string
	cmd     *exec.Cmd // nil for a simulated program
	ended   chan struct{}
	last    string // of its log, once it ended
	listens bool   // guarded by Servers.mu
}

// start runs a pod's program until its context ends or it is stopped. It returns nil where the program is not available.
func (p *Program) start(ctx context.Context, pod *corev1.Pod) (*server, error) {
	dir, err := os.MkdirTemp("", "sandbox-"+p.Name+"-")
	if err != nil {
		return nil, err
	}
	s := &server{pod: pod.UID, dir: dir, ended: make(chan struct{})}
	if p.Serve != nil {
		defer os.RemoveAll(dir)
		if s.handler, err = p.Serve(ctx, pod, dir); errors.Is(err, ErrWaiting) {
			return nil, err
		} else if err != nil {
			s.last = err.Error()
			close(s.ended)
		}
		return s, nil
	}
	if err := p.execute(ctx, s, pod); err != nil || s.cmd == nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	context.AfterFunc(ctx, s.stop)
	return s, nil
}

func (p *Program) execute(ctx context.Context, s *server, pod *corev1.Pod) (err error) {
	if s.address, err = freeAddress(); err != nil {
		return err
	}
	if s.cmd, err = p.Command(ctx, pod, s.dir, s.address); err != nil || s.cmd == nil {
		return err
	}
	s.handler = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: s.address})
		r.Out.Host = r.In.Host
		for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Uri"} {
			if values := r.In.Header[name]; values != nil { // the sandbox's own hop is not one of the cluster
				r.Out.Header[name] = values
			}
		}
	}}
	if err := s.run(); err != nil {
		return fmt.Errorf("starting %s in pod %s: %w", p.Name, pod.Name, err)
	}
	return nil
}

func (s *server) run() error {
	name := filepath.Join(s.dir, "server.log")
	log, err := os.Create(name)
	if err != nil {
		return err
	}
	defer log.Close()
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = s.cmd.Wait()
		s.last = lastLines(name)
		_ = os.RemoveAll(s.dir)
		close(s.ended)
	}()
	return nil
}

// stop ends the process; it ends its own children itself.
func (s *server) stop() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(3 * time.Second):
		_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
		<-s.ended
	}
}

// hasEnded reports whether the process has exited.
func (s *server) hasEnded() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// exitCode is that of a program that has ended.
func (s *server) exitCode() int32 {
	if s.cmd == nil {
		return 1
	}
	return int32(max(1, s.cmd.ProcessState.ExitCode()))
}

// answers reports whether the program serves.
func (s *server) answers() bool {
	if s.cmd == nil {
		return s.handler != nil
	}
	conn, err := net.DialTimeout("tcp", s.address, time.Second)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// lastLines returns the end of a log, as a kubelet does for a container that crashed.
func lastLines(file string) string {
	const most = 2048
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	if len(text) > most {
		text = text[len(text)-most:]
		_, text, _ = bytes.Cut(text, []byte("\n"))
	}
	return string(text)
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)), nil
}
