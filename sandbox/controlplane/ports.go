package controlplane

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// Ports below what Linux gives to outgoing connections, so that none of those
// takes a chosen port before its program listens.
const (
	firstPort = 20000
	lastPort  = 32000
)

// freePorts chooses that many different ports that nothing listens on.
func freePorts(n int) ([]int, error) {
	var ports []int
	for attempt := 0; len(ports) < n; attempt++ {
		if attempt > 1000 {
			return nil, fmt.Errorf("no free port between %d and %d on 127.0.0.1", firstPort, lastPort)
		}
		port := firstPort + rand.IntN(lastPort-firstPort)
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		defer listener.Close() // held until all are chosen, so all differ
		ports = append(ports, port)
	}
	return ports, nil
}
