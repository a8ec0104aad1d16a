package pods

import (
	"fmt"
	"net/netip"
	"sync"
)

// addresses allocates pod IP addresses.
type addresses struct {
	mu   sync.Mutex
	used map[netip.Addr]bool
}

func newAddresses() addresses { return addresses{used: map[netip.Addr]bool{}} }

// take allocates a free address of a node's range, after its network address and
// gateway.
func (a *addresses) take(podCIDR string) (string, error) {
	prefix, err := netip.ParsePrefix(podCIDR)
	if err != nil {
		return "", fmt.Errorf("pod range %q: %w", podCIDR, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for ip := prefix.Addr().Next().Next(); prefix.Contains(ip); ip = ip.Next() {
		if !a.used[ip] {
			a.used[ip] = true
			return ip.String(), nil
		}
	}
	return "", fmt.Errorf("pod range %s is exhausted", podCIDR)
}

// keep marks an address that a pod already has; release frees one.
func (a *addresses) keep(ip string)    { a.mark(ip, true) }
func (a *addresses) release(ip string) { a.mark(ip, false) }

func (a *addresses) mark(text string, used bool) {
	ip, err := netip.ParseAddr(text)
	if err != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if used {
		a.used[ip] = true
		return
	}
	delete(a.used, ip)
}
