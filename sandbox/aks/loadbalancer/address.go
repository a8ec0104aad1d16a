package loadbalancer

import (
	"errors"
	"fmt"
	"hash/fnv"
	"net"
	"net/netip"
	"syscall"

	corev1 "k8s.io/api/core/v1"
)

const internalAnnotation = "service.beta.kubernetes.io/azure-load-balancer-internal"

func internal(service *corev1.Service) bool {
	return service.Annotations[internalAnnotation] == "true"
}

// candidate returns the nth address of a sandbox: 127.10.x.y stands for internal
// addresses, 127.20.x.y for public ones. x is derived from the sandbox's name, so
// that sandboxes rarely collide; if they do, the address is in use and the next
// one is tried.
func candidate(internal bool, sandbox string, n int) netip.Addr {
	second := byte(20)
	if internal {
		second = 10
	}
	h := fnv.New32a()
	h.Write([]byte(sandbox))
	return netip.AddrFrom4([4]byte{127, second, byte(h.Sum32()%254) + 1, byte(n%253) + 2})
}

// free reports whether these ports of an address are unused. A port that this
// user cannot bind at all is ignored.
func free(address netip.Addr, ports []corev1.ServicePort) bool {
	for _, port := range ports {
		listener, err := net.Listen("tcp", fmt.Sprintf("%s:%d", address, port.Port))
		if errors.Is(err, syscall.EADDRINUSE) {
			return false
		}
		if err == nil {
			listener.Close()
		}
	}
	return true
}
