package signin

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/dex"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/process"
)

// Options say what the programs run with.
type Options struct {
	OAuth2Proxy string // the program; without it the pods of both are only simulated
	Dex         *dex.Store
	Client      kubernetes.Interface
	Egress      func() string   // the address of the proxy into the sandbox's network
	Transport   *http.Transport // the same for the stand-in for dex
	CA          []byte          // the certificate of the authority that the programs trust, PEM
}

// Programs are those of sign-in.
func Programs(o Options) []*process.Program {
	return []*process.Program{
		{Name: "oauth2-proxy", Command: o.oauth2Proxy, Probed: true, Container: o.container("oauth2-proxy", proxyConfig)},
		{Name: "dex", Serve: o.dex, Probed: true, Container: o.container("dex", dexConfig)},
	}
}

// container returns the container that runs a program with a configuration from a volume.
func (o Options) container(image string, config func(words []string) string) func(*corev1.Pod) string {
	return func(pod *corev1.Pod) string {
		if o.OAuth2Proxy == "" {
			return ""
		}
		for i := range pod.Spec.Containers {
			c := &pod.Spec.Containers[i]
			file := config(slices.Concat(c.Command, c.Args))
			if nameOf(c.Image) == image && file != "" && mounted(c, file) {
				return c.Name
			}
		}
		return ""
	}
}

// nameOf returns the last part of an image's name.
func nameOf(image string) string {
	image, _, _ = strings.Cut(image, "@")
	image = image[strings.LastIndex(image, "/")+1:]
	name, _, _ := strings.Cut(image, ":")
	return name
}

func mounted(c *corev1.Container, file string) bool {
	return slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool {
		return file == m.MountPath || strings.HasPrefix(file, strings.TrimSuffix(m.MountPath, "/")+"/")
	})
}

// proxyConfig returns the configuration file of oauth2-proxy's command line.
func proxyConfig(words []string) string {
	for i, word := range words {
		if file, ok := strings.CutPrefix(word, "--config="); ok {
			return file
		}
		if word == "--config" && i+1 < len(words) {
			return words[i+1]
		}
	}
	return ""
}

// dexConfig returns the configuration file of dex's command line.
func dexConfig(words []string) string {
	at := slices.Index(words, "serve")
	if at < 0 || at+1 >= len(words) {
		return ""
	}
	return words[at+1]
}

func (o Options) oauth2Proxy(ctx context.Context, pod *corev1.Pod, dir, address string) (*exec.Cmd, error) {
	c, err := open(ctx, o.Client, pod, o.container("oauth2-proxy", proxyConfig)(pod), dir)
	if err != nil {
		return nil, err
	}
	var args []string
	for _, arg := range c.spec.Args {
		args = append(args, c.expand(arg))
	}
	cmd := exec.Command(o.OAuth2Proxy, append(args, "--http-address="+address, "--metrics-address=")...)
	return o.run(cmd, c)
}

func (o Options) dex(ctx context.Context, pod *corev1.Pod, dir string) (http.Handler, error) {
	c, err := open(ctx, o.Client, pod, o.container("dex", dexConfig)(pod), dir)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(c.paths.Replace(dexConfig(slices.Concat(c.spec.Command, c.spec.Args))))
	if err != nil {
		return nil, fmt.Errorf("failed to read config file: %w", err)
	}
	return dex.New(ctx, text, c.env, o.Dex, pod.Namespace, &http.Client{Timeout: 10 * time.Second, Transport: o.Transport})
}

// run gives a command the container's environment, the way into the sandbox's network and the sandbox's authority.
func (o Options) run(cmd *exec.Cmd, c *container) (*exec.Cmd, error) {
	roots := filepath.Join(c.dir, "roots")
	if err := os.Mkdir(roots, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(roots, "sandbox.pem"), o.CA, 0o600); err != nil {
		return nil, err
	}
	proxy := "http://" + o.Egress()
	cmd.Dir = c.dir
	cmd.Env = c.environ("HTTP_PROXY="+proxy, "HTTPS_PROXY="+proxy, "NO_PROXY=", "SSL_CERT_DIR="+roots)
	return cmd, nil
}
