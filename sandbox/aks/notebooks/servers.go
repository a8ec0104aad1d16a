package notebooks

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/informers"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/control"
)

// interpreter is Debian's jupyter-server. Others on the PATH may lack a kernel with numpy.
const interpreter = "/usr/bin/jupyter-server"

// Servers run the server of each notebook's pod.
type Servers struct {
	pods corelisters.PodLister
	loop *control.Loop

	mu      sync.Mutex
	running map[string]*server // by the pod's key
}

// NewServers creates the servers. Run starts and stops them with their pods.
func NewServers(factory informers.SharedInformerFactory) (*Servers, error) {
	pods := factory.Core().V1().Pods()
	s := &Servers{pods: pods.Lister(), running: map[string]*server{}}
	s.loop = control.New("notebook servers", 2, s.reconcile)
	return s, s.loop.On(pods.Informer(), func(object any) []string {
		if pod, ok := object.(*corev1.Pod); !ok || pathOf(pod) == "" {
			return nil
		}
		return control.Key(object)
	})
}

// Loop runs until its context ends, and then stops all servers.
func (s *Servers) Loop() *control.Loop { return s.loop }

func (s *Servers) reconcile(ctx context.Context, key string) (time.Duration, error) {
	namespace, name, err := cache.SplitMetaNamespaceKey(key)
	if err != nil {
		return 0, err
	}
	pod, err := s.pods.Pods(namespace).Get(name)
	if err != nil && !apierrors.IsNotFound(err) {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	have := s.running[key]
	if pod == nil || pod.DeletionTimestamp != nil || !serves(pod) || have != nil && have.pod != pod.UID {
		if have != nil {
			have.stop()
			delete(s.running, key)
		}
		if pod == nil || pod.DeletionTimestamp != nil || !serves(pod) {
			return 0, nil
		}
		have = nil
	}
	if have != nil {
		return 0, nil
	}
	started, err := start(ctx, pod)
	if err != nil || started == nil {
		return 0, err
	}
	s.running[key] = started
	return 0, nil
}

// Handler returns the server in a pod while it listens, nil otherwise.
func (s *Servers) Handler(pod *corev1.Pod) http.Handler {
	s.mu.Lock()
	found := s.running[pod.Namespace+"/"+pod.Name]
	s.mu.Unlock()
	if found == nil || found.pod != pod.UID || !found.listens() {
		return nil
	}
	return found.proxy
}

// Is reports whether a pod is a notebook's.
func Is(pod *corev1.Pod) bool { return pathOf(pod) != "" }

// pathOf returns the path below which the server in a pod listens, "" for other pods.
func pathOf(pod *corev1.Pod) string {
	if pod.Labels["notebook-name"] == "" {
		return ""
	}
	for i := range pod.Spec.Containers {
		for _, v := range pod.Spec.Containers[i].Env {
			if v.Name == "NB_PREFIX" {
				return v.Value
			}
		}
	}
	return ""
}

// serves reports whether the notebook's container runs.
func serves(pod *corev1.Pod) bool {
	for _, c := range pod.Status.ContainerStatuses {
		if c.Name == pod.Labels["notebook-name"] && c.State.Running != nil {
			return true
		}
	}
	return false
}

func installed() bool {
	_, err := os.Stat(interpreter)
	return err == nil
}

// command returns the command line of Kubeflow's images.
func command(dir, path, port string) *exec.Cmd {
	cmd := exec.Command(interpreter, "--notebook-dir="+dir, "--ip=127.0.0.1", "--port="+port, "--ServerApp.port_retries=0", "--no-browser",
		"--allow-root", "--ServerApp.token=", "--ServerApp.password=", "--ServerApp.allow_origin=*", "--ServerApp.allow_remote_access=True",
		"--ServerApp.base_url="+path, "--ServerApp.authenticate_prometheus=False")
	cmd.Dir = dir
	cmd.Env = []string{"HOME=" + dir, "PATH=/usr/bin:/bin", "LANG=C.UTF-8", "JUPYTER_RUNTIME_DIR=" + dir, "OPENBLAS_NUM_THREADS=1", "NB_PREFIX=" + path}
	return cmd
}

// Port returns the port of a notebook's server.
func Port(pod *corev1.Pod) int32 {
	for i := range pod.Spec.Containers {
		if c := &pod.Spec.Containers[i]; c.Name == pod.Labels["notebook-name"] && len(c.Ports) > 0 {
			return c.Ports[0].ContainerPort
		}
	}
	return serverPort
}
