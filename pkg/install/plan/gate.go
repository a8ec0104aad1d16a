package plan

import (
	"fmt"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A GateKind says what an object waits for.
type GateKind string

// The gates. There are no others: an object without a closed gate is applied at once.
const (
	NamespaceGate  GateKind = "namespace"   // its Namespace is there
	KindGate       GateKind = "kind"        // the definition of its kind is established and served
	WebhookGate    GateKind = "webhook"     // a webhook that is asked about it can answer
	PodWebhookGate GateKind = "pod-webhook" // a webhook that changes the pods it makes can answer
	ConversionGate GateKind = "conversion"  // the webhook that converts it to its stored version can answer
	APIGate        GateKind = "api"         // the aggregated API that takes it is available
)

// A Gate is one thing that must be so before an object is applied.
type Gate struct {
	Kind    GateKind    `json:"kind"`
	On      cluster.Ref `json:"on"`               // the Namespace, definition, webhook configuration or APIService
	Service cluster.Ref `json:"service,omitzero"` // what answers for a webhook
}

// String says what is waited for: "Service/kubeflow/admission-webhook-service to have ready endpoints for MutatingWebhookConfiguration/…".
func (g Gate) String() string {
	switch g.Kind {
	case NamespaceGate:
		return g.On.String()
	case KindGate:
		return g.On.String() + " to be established"
	case APIGate:
		return g.On.String() + " to be available"
	}
	return fmt.Sprintf("%s to have ready endpoints for %s", g.Service, g.On)
}

// Key returns the gate that opens together with this one: a webhook is ready for every kind of request or for none.
func (g Gate) Key() Gate {
	if g.Kind == PodWebhookGate || g.Kind == ConversionGate {
		g.Kind = WebhookGate
	}
	return g
}

// A Cycle is a ring of objects of which each would wait for the next. It is cut while planning, and never waited for.
type Cycle struct {
	Objects []cluster.Ref `json:"objects"`
	Cut     []Gate        `json:"cut"` // the gates that are not waited for
}
