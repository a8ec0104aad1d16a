package process

import (
	"context"
	"errors"
	"net/http"
	"os/exec"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/informers"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/control"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/pods"
)

// A Program is a real program that runs behind pods.
type Program struct {
	Name string
	// Container returns the container whose program it is, "" for pods of others.
	Container func(pod *corev1.Pod) string
	// Command returns the command that serves HTTP on an address, with its files in a folder that is removed when it ends. It
	// returns nil where the program is not available.
	Command func(ctx context.Context, pod *corev1.Pod, dir, address string) (*exec.Cmd, error)
	// Serve is a program that runs in this process instead, in place of Command. An error is what it crashes with, unless it is
	// ErrWaiting.
	Serve func(ctx context.Context, pod *corev1.Pod, dir string) (http.Handler, error)
	// Probed is whether the pod is ready only while the process listens, and crashes with it.
	Probed bool
}

// ErrWaiting means that something which the container reads does not exist yet. The program is started again until it does.
var ErrWaiting = errors.New("CreateContainerConfigError")

// Servers run the process of each pod of some programs.
type Servers struct {
	programs []*Program
	pods     corelisters.PodLister
	loop     *control.Loop
	changed  func(key string) // a process began to listen, or ended

	mu      sync.Mutex
	running map[string]*server // by the pod's key
}

// New creates the servers of these programs. Their loop starts and stops them with their pods.
func New(factory informers.SharedInformerFactory, programs ...*Program) (*Servers, error) {
	pods := factory.Core().V1().Pods()
	s := &Servers{programs: programs, pods: pods.Lister(), changed: func(string) {}, running: map[string]*server{}}
	s.loop = control.New("servers", 4, s.reconcile)
	return s, s.loop.On(pods.Informer(), func(object any) []string {
		if pod, ok := object.(*corev1.Pod); !ok || s.program(pod) == nil {
			return nil
		}
		return control.Key(object)
	})
}

// Loop runs until its context ends, and then stops all servers.
func (s *Servers) Loop() *control.Loop { return s.loop }

// OnChange sets what to call with a pod's key when its process began to listen or ended. Call it before the loop runs.
func (s *Servers) OnChange(changed func(key string)) { s.changed = changed }

func (s *Servers) program(pod *corev1.Pod) *Program {
	for _, program := range s.programs {
		if program.Container(pod) != "" {
			return program
		}
	}
	return nil
}

func (s *Servers) reconcile(ctx context.Context, key string) (time.Duration, error) {
	namespace, name, err := cache.SplitMetaNamespaceKey(key)
	if err != nil {
		return 0, err
	}
	pod, err := s.pods.Pods(namespace).Get(name)
	if err != nil && !apierrors.IsNotFound(err) {
		return 0, err
	}
	wanted := pod != nil && pod.DeletionTimestamp == nil && s.serves(pod)
	have := s.get(key)
	if have != nil && (!wanted || have.pod != pod.UID) {
		have.stop()
		s.put(key, nil)
		have = nil
	}
	if have != nil || !wanted {
		return 0, nil
	}
	started, err := s.program(pod).start(ctx, pod)
	if err != nil || started == nil {
		return 0, err
	}
	s.put(key, started)
	go s.watch(key, started)
	return 0, nil
}

func (s *Servers) get(key string) *server {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running[key]
}

func (s *Servers) put(key string, value *server) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if value == nil {
		delete(s.running, key)
		return
	}
	s.running[key] = value
}

// watch tells when a process begins to listen, and when it ends.
func (s *Servers) watch(key string, of *server) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for listening := false; ; {
		select {
		case <-of.ended:
			s.changed(key)
			return
		case <-tick.C:
		}
		if !listening && of.answers() {
			listening = true
			tick.Reset(time.Hour)
			s.mu.Lock()
			of.listens = true
			s.mu.Unlock()
			s.changed(key)
		}
	}
}

// Is reports whether the program of a pod is one of these.
func (s *Servers) Is(pod *corev1.Pod) bool { return s.program(pod) != nil }

// Handler returns the server in a pod while it listens, nil otherwise.
func (s *Servers) Handler(pod *corev1.Pod) http.Handler {
	found := s.get(pod.Namespace + "/" + pod.Name)
	if found == nil || found.pod != pod.UID || !found.answers() {
		return nil
	}
	return found.handler
}

// Rule is the pods.Rule of programs that are probed.
func (s *Servers) Rule(pod *corev1.Pod, container *corev1.Container, _ pods.Config) *pods.Act {
	program := s.program(pod)
	if program == nil || !program.Probed || program.Container(pod) != container.Name {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.running[pod.Namespace+"/"+pod.Name]
	switch {
	case found == nil || found.pod != pod.UID:
		return &pods.Act{Behaviour: pods.Hangs}
	case found.hasEnded():
		return &pods.Act{Behaviour: pods.Crashes, ExitCode: found.exitCode(), Log: found.last}
	case !found.listens:
		return &pods.Act{Behaviour: pods.Hangs}
	}
	return &pods.Act{Behaviour: pods.Runs}
}

// serves reports whether the program's container runs.
func (s *Servers) serves(pod *corev1.Pod) bool {
	container := s.program(pod).Container(pod)
	for _, c := range pod.Status.ContainerStatuses {
		if c.Name == container && c.State.Running != nil {
			return true
		}
	}
	return false
}
