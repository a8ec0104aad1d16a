package loadbalancer

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/tools/cache"
)

const cleanup = "service.kubernetes.io/load-balancer-cleanup"

var write = metav1.UpdateOptions{FieldManager: "cloud-controller-manager"}

// A Balancer assigns addresses to Services and listens on them.
type Balancer struct {
	Options
	mu       sync.Mutex
	fronts   map[string]*front
	asked    map[string]time.Time // when an address was first requested
	unlisten map[string]string    // ports that could not be bound, as last reported
}

func (b *Balancer) reconcile(ctx context.Context, key string) (time.Duration, error) {
	namespace, name, err := cache.SplitMetaNamespaceKey(key)
	if err != nil {
		return 0, fmt.Errorf("reading key: %w", err)
	}
	service, err := b.Services.Services(namespace).Get(name)
	if apierrors.IsNotFound(err) {
		b.drop(key)
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("getting service: %w", err)
	}
	if service.DeletionTimestamp != nil || service.Spec.Type != corev1.ServiceTypeLoadBalancer {
		b.drop(key)
		return 0, b.clear(ctx, service)
	}
	if !slices.Contains(service.Finalizers, cleanup) {
		changed := service.DeepCopy()
		changed.Finalizers = append(changed.Finalizers, cleanup)
		b.Events.Event(service, corev1.EventTypeNormal, "EnsuringLoadBalancer", "Ensuring load balancer")
		_, err := b.Client.CoreV1().Services(namespace).Update(ctx, changed, write)
		return 0, wrap("adding the finalizer", err)
	}
	if failure := b.failure(service); failure != "" {
		b.Events.Event(service, corev1.EventTypeWarning, "SyncLoadBalancerFailed", "Error syncing load balancer: failed to ensure load balancer: "+failure)
		return 30 * time.Second, nil
	}
	if wait := b.wait(key); wait > 0 {
		return wait, nil
	}
	return b.serve(ctx, key, service)
}

// wait returns the time until an address is available.
func (b *Balancer) wait(key string) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.asked[key].IsZero() {
		b.asked[key] = time.Now()
	}
	return time.Until(b.asked[key].Add(b.Delay))
}

func (b *Balancer) serve(ctx context.Context, key string, service *corev1.Service) (time.Duration, error) {
	f, err := b.front(key, service)
	if err != nil {
		return 0, err
	}
	now := b.look(service)
	var ports []corev1.ServicePort
	for _, port := range service.Spec.Ports {
		// Ports without endpoints are not listened on, so connections are refused.
		// Connections from other source ranges are accepted in order to drop them.
		if _, _, open := now.open(port); open && port.Protocol != corev1.ProtocolUDP {
			ports = append(ports, port)
		}
	}
	b.report(key, service, f.listen(ports))
	var again time.Duration
	if len(ports) < len(service.Spec.Ports) {
		again = time.Second // a gateway's ports depend on its Gateway, which has no informer here
	}
	return again, b.publish(ctx, service, f.address)
}

// report emits an event, once, for ports that this user cannot listen on.
func (b *Balancer) report(key string, service *corev1.Service, err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	b.mu.Lock()
	news := text != b.unlisten[key]
	b.unlisten[key] = text
	b.mu.Unlock()
	if news && text != "" {
		b.Events.Event(service, corev1.EventTypeWarning, "SandboxCannotListen", "The sandbox cannot listen for this Service: "+text)
	}
}

func (b *Balancer) publish(ctx context.Context, service *corev1.Service, address netip.Addr) error {
	ingress := service.Status.LoadBalancer.Ingress
	if len(ingress) == 1 && ingress[0].IP == address.String() {
		return nil
	}
	changed := service.DeepCopy()
	changed.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: address.String()}}
	if _, err := b.Client.CoreV1().Services(service.Namespace).UpdateStatus(ctx, changed, write); err != nil {
		return wrap("publishing the address", err)
	}
	b.Events.Event(service, corev1.EventTypeNormal, "EnsuredLoadBalancer", "Ensured load balancer")
	return nil
}

// clear removes a former LoadBalancer Service's address and finalizer.
func (b *Balancer) clear(ctx context.Context, service *corev1.Service) error {
	services := b.Client.CoreV1().Services(service.Namespace)
	if service.DeletionTimestamp == nil && len(service.Status.LoadBalancer.Ingress) > 0 {
		changed := service.DeepCopy()
		changed.Status.LoadBalancer = corev1.LoadBalancerStatus{}
		_, err := services.UpdateStatus(ctx, changed, write)
		return wrap("removing the address", err)
	}
	if slices.Contains(service.Finalizers, cleanup) {
		changed := service.DeepCopy()
		changed.Finalizers = slices.DeleteFunc(changed.Finalizers, func(f string) bool { return f == cleanup })
		_, err := services.Update(ctx, changed, write)
		return wrap("removing the finalizer", err)
	}
	return nil
}

func wrap(doing string, err error) error {
	if err == nil || apierrors.IsNotFound(err) {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// look collects the current state for a verdict.
func (b *Balancer) look(service *corev1.Service) state {
	s := state{service: service, listens: b.Listens}
	if len(service.Spec.Selector) > 0 {
		s.pods = b.ReadyPods(service.Namespace, service.Spec.Selector)
	}
	if b.Policies != nil {
		s.policies, _ = b.Policies.NetworkPolicies(service.Namespace).List(labels.Everything())
	}
	return s
}
