package loadbalancer

import (
	"context"
	"io"
	"net"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	networklisters "k8s.io/client-go/listers/networking/v1"
	"k8s.io/client-go/tools/record"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/control"
)

// Options configure a load balancer.
type Options struct {
	Client   kubernetes.Interface
	Events   record.EventRecorder
	Services corelisters.ServiceLister
	Policies networklisters.NetworkPolicyLister // nil without a network policy engine

	Sandbox string        // sandboxes with different names use different addresses
	Delay   time.Duration // until a Service has its address
	Failure string        // leaves Services pending: AuthorizationFailed or PublicIPCountLimitReached

	ReadyPods func(namespace string, selector map[string]string) []*corev1.Pod
	Listens   func(pod *corev1.Pod, port int32) bool
	Answer    func(conn net.Conn, pod *corev1.Pod, port int32)
}

// A Loop runs the balancer and closes all listeners when it ends.
type Loop struct {
	*control.Loop
	balancer *Balancer
}

// New creates the loop that simulates the load balancer.
func New(factory informers.SharedInformerFactory, o Options) (*Loop, error) {
	b := &Balancer{Options: o, fronts: map[string]*front{}, asked: map[string]time.Time{}, unlisten: map[string]string{}}
	loop := control.New("load balancer", 1, b.reconcile)
	core := factory.Core().V1()
	if err := loop.On(core.Services().Informer(), b.ours); err != nil {
		return nil, err
	}
	return &Loop{Loop: loop, balancer: b}, loop.On(core.Pods().Informer(), b.before)
}

// Run runs the loop until ctx ends.
func (l *Loop) Run(ctx context.Context, log io.Writer) {
	defer l.balancer.closeAll()
	l.Loop.Run(ctx, log)
}

// ours returns the Services that have, or had, a load balancer.
func (b *Balancer) ours(object any) []string {
	service, ok := object.(*corev1.Service)
	if !ok || service.Spec.Type != corev1.ServiceTypeLoadBalancer && len(service.Finalizers) == 0 && len(service.Status.LoadBalancer.Ingress) == 0 {
		return nil
	}
	return control.Key(service)
}

// before returns the load-balanced Services in front of a pod.
func (b *Balancer) before(object any) []string {
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return nil
	}
	services, err := b.Services.Services(pod.Namespace).List(labels.Everything())
	if err != nil {
		return nil
	}
	var keys []string
	for _, service := range services {
		if service.Spec.Type == corev1.ServiceTypeLoadBalancer && labels.SelectorFromSet(service.Spec.Selector).Matches(labels.Set(pod.Labels)) {
			keys = append(keys, control.Key(service)...)
		}
	}
	return keys
}
