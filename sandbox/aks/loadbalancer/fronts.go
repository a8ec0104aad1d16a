package loadbalancer

import (
	"errors"
	"net"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"
)

// front returns the front of a Service, with its existing address or a free one.
// A Service that becomes internal or public gets another address.
func (b *Balancer) front(key string, service *corev1.Service) (*front, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	inside := internal(service)
	if f := b.fronts[key]; f != nil {
		if asked, err := netip.ParseAddr(service.Spec.LoadBalancerIP); err == nil && f.address == asked || err != nil && f.address.As4()[1] == candidate(inside, b.Sandbox, 0).As4()[1] {
			return f, nil
		}
		f.close()
		delete(b.fronts, key)
	}
	address, ok := b.choose(inside, service)
	if !ok {
		return nil, errors.New("no loopback address is free")
	}
	f := newFront(address, nil)
	f.accept = func(port corev1.ServicePort, conn net.Conn) { b.accept(key, f, port, conn) }
	b.fronts[key] = f
	return f, nil
}

func (b *Balancer) choose(inside bool, service *corev1.Service) (netip.Addr, bool) {
	taken := map[netip.Addr]bool{}
	for _, f := range b.fronts {
		taken[f.address] = true
	}
	if asked, err := netip.ParseAddr(service.Spec.LoadBalancerIP); err == nil {
		return asked, asked.IsLoopback() && !taken[asked]
	}
	if ingress := service.Status.LoadBalancer.Ingress; len(ingress) == 1 {
		had, err := netip.ParseAddr(ingress[0].IP)
		if err == nil && had.IsLoopback() && !taken[had] && had.As4()[1] == candidate(inside, b.Sandbox, 0).As4()[1] && free(had, service.Spec.Ports) {
			return had, true
		}
	}
	for n := range 253 {
		if a := candidate(inside, b.Sandbox, n); !taken[a] && free(a, service.Spec.Ports) {
			return a, true
		}
	}
	return netip.Addr{}, false
}

// accept decides about a connection with the current state of the cluster.
func (b *Balancer) accept(key string, f *front, port corev1.ServicePort, conn net.Conn) {
	service := b.service(key)
	remote, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if service == nil || err != nil {
		reset(conn)
		return
	}
	// The Service may have changed since the listener was opened.
	for _, now := range service.Spec.Ports {
		if now.Port == port.Port {
			port = now
		}
	}
	verdict, pod, target := b.look(service).admit(port, remote.Addr())
	switch verdict {
	case Admitted:
		b.Answer(conn, pod, target)
	case Dropped:
		f.hold(conn)
	case Refused:
		reset(conn)
	}
}

// service returns the current Service, nil if it was deleted.
func (b *Balancer) service(key string) *corev1.Service {
	namespace, name, err := cache.SplitMetaNamespaceKey(key)
	if err != nil {
		return nil
	}
	service, err := b.Services.Services(namespace).Get(name)
	if err != nil {
		return nil
	}
	return service
}

// reset closes a connection with a TCP reset, as for a closed port.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}

// drop stops listening for a Service.
func (b *Balancer) drop(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if f := b.fronts[key]; f != nil {
		f.close()
	}
	delete(b.fronts, key)
	delete(b.asked, key)
	delete(b.unlisten, key)
}

func (b *Balancer) closeAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for key, f := range b.fronts {
		f.close()
		delete(b.fronts, key)
	}
}
