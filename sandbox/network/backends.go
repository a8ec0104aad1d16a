package network

import (
	"context"
	"net"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Backends respond in place of the processes in pods. No container runs in the
// sandbox, so every connection into the cluster network ends here.
//
// The network has already checked that the connection is possible: for Dial the
// Service exists, has that port and a ready endpoint; for DialPod the pod exists
// and runs. An implementation returns an error if nothing listens; the user sees
// the error's text.
//
// Both methods must be safe for concurrent use. The caller owns the returned
// connection, which may be one end of a net.Pipe.
type Backends interface {
	// Dial connects to a port of a Service, as a client inside the cluster would
	// through its ClusterIP. The port is the Service's own, with its name, number
	// and target port.
	Dial(ctx context.Context, service types.NamespacedName, port corev1.ServicePort) (net.Conn, error)

	// DialPod connects to a container port of one pod: kubectl port-forward, the
	// pod proxy and the service proxy of the API server use it.
	DialPod(ctx context.Context, pod *corev1.Pod, port int32) (net.Conn, error)
}
