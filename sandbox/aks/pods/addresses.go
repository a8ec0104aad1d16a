package pods

import (
	"fmt"
	"net/netip"
	"sync"
)

// addresses hands out pod addresses, each once until it is given back.
type addresses struct {
	mu   sync.Mutex
	used map[netip.Addr]bool
}

func newAddresses() addresses { return addresses{used: map[netip.Addr]bool{}} }

// take returns a free address of a node's range, past its network address and
// its gateway.
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
	return "", fmt.Errorf("pod range %s is used up", podCIDR)
}

// keep marks an address that a pod has already; release gives one back.
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
