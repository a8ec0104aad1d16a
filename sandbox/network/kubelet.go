package network

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/cri-streaming/pkg/streaming/portforward"
)

// A Kubelet serves the API server's calls to nodes. It forwards ports to the
// simulated pod, because KWOK's own port forwarding cannot tell which pod and
// port a connection is for, and serves logs from the pods' status. KWOK serves
// everything else.
type Kubelet struct {
	directory *Directory
	backends  Backends
	kwok      http.Handler
	socket    string
	server    *http.Server
}

// NewKubelet starts a kubelet that listens on a socket in dir until ctx ends.
func NewKubelet(ctx context.Context, dir string, cert tls.Certificate, kwok string, directory *Directory, backends Backends) (*Kubelet, error) {
	k := &Kubelet{directory: directory, backends: backends, socket: filepath.Join(dir, "kubelet.sock")}
	k.kwok = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "https", Host: kwok}) },
		Transport: &http.Transport{
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, // loopback, on a port that we chose
			DisableKeepAlives: true,
		},
		ErrorLog: log.New(io.Discard, "", 0),
	}
	listener, err := net.Listen("unix", k.socket)
	if err != nil {
		return nil, fmt.Errorf("listening for the kubelets: %w", err)
	}
	k.server = &http.Server{
		Handler:      k.handler(),
		ErrorLog:     log.New(io.Discard, "", 0),
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}, // no HTTP/2: forwarding upgrades the connection
	}
	go func() {
		_ = k.server.Serve(tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}))
	}()
	context.AfterFunc(ctx, func() {
		_ = k.server.Close()
		_ = os.Remove(k.socket)
	})
	return k, nil
}

// Dial connects to the kubelet.
func (k *Kubelet) Dial(ctx context.Context) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "unix", k.socket)
}

func (k *Kubelet) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/portForward/{namespace}/{pod}", k.forward)
	mux.HandleFunc("/portForward/{namespace}/{pod}/{uid}", k.forward)
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", k.logs)
	mux.Handle("/", k.kwok)
	return mux
}

// forward serves the streaming protocol of kubectl port-forward over SPDY or
// WebSocket, as the client requests.
func (k *Kubelet) forward(w http.ResponseWriter, r *http.Request) {
	options, err := portforward.NewV4Options(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	name := r.PathValue("namespace") + "/" + r.PathValue("pod")
	portforward.ServePortForward(w, r, k, name, r.PathValue("uid"), options,
		4*time.Hour, 30*time.Second, portforward.SupportedProtocols)
}

// PortForward connects one stream with a port of a pod.
func (k *Kubelet) PortForward(ctx context.Context, name, _ string, port int32, stream io.ReadWriteCloser) error {
	defer stream.Close()
	pod, err := k.pod(name)
	if err != nil {
		return err
	}
	if k.backends == nil {
		return errors.New("connection refused")
	}
	dialCtx, cancel := context.WithTimeout(ctx, dialPatience)
	defer cancel()
	backend, err := k.backends.DialPod(dialCtx, pod, port)
	if err != nil {
		return fmt.Errorf("connecting to port %d of pod %s: %w", port, name, err)
	}
	splice(stream, stream, backend)
	return nil
}

// logs serves the log of a container: for a terminated program, its last lines.
func (k *Kubelet) logs(w http.ResponseWriter, r *http.Request) {
	pod, err := k.pod(r.PathValue("namespace") + "/" + r.PathValue("pod"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	text, err := printed(pod, r.PathValue("container"), r.URL.Query().Get("previous") == "true")
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	_, _ = io.WriteString(w, text)
}

// printed returns a container's output from the pod's status.
func printed(pod *corev1.Pod, container string, previous bool) (string, error) {
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if status.Name != container {
			continue
		}
		ended := status.State.Terminated
		if previous || ended == nil && status.State.Waiting != nil {
			ended = status.LastTerminationState.Terminated
		}
		switch {
		case ended != nil && ended.Message != "":
			return strings.TrimSuffix(ended.Message, "\n") + "\n", nil
		case ended != nil, !previous && status.State.Running != nil:
			return "", nil
		}
	}
	return "", fmt.Errorf("container %q of pod %q has printed nothing yet", container, pod.Name)
}

func (k *Kubelet) pod(name string) (*corev1.Pod, error) {
	object, found, err := k.directory.pods.GetByKey(name)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, fmt.Errorf("pod %s is not on this node", name)
	}
	return object.(*corev1.Pod), nil
}
