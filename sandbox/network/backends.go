package network

import (
	"context"
	"net"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Backends is what answers in place of the processes that a pod would run. No
// container runs in the sandbox, so every connection into the cluster network
// ends here.
//
// The network has already made sure that a connection may be made: for Dial the
// Service exists, has that port and a ready endpoint; for DialPod the pod is
// there and runs. An implementation decides what answers, and says with an
// error that nothing listens: the error's text reaches the user.
//
// Both must be safe for concurrent use. The returned connection belongs to the
// caller, and may be one end of a net.Pipe.
type Backends interface {
	// Dial connects to a port of a Service, as a client inside the cluster would
	// through its ClusterIP. The port is the Service's own, with its name, number
	// and target port.
	Dial(ctx context.Context, service types.NamespacedName, port corev1.ServicePort) (net.Conn, error)

	// DialPod connects to a container port of one pod: kubectl port-forward, the
	// pod proxy and the service proxy of the API server come this way.
	DialPod(ctx context.Context, pod *corev1.Pod, port int32) (net.Conn, error)
}
