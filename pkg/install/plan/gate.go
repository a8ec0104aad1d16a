package plan

import (
	"fmt"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A GateKind says what an object waits for.
type GateKind string

// The kinds of gates. An object without a closed gate is applied immediately.
const (
	NamespaceGate  GateKind = "namespace"   // its Namespace exists
	KindGate       GateKind = "kind"        // the CRD of its kind is established and served
	WebhookGate    GateKind = "webhook"     // an admission webhook that matches it has ready endpoints
	PodWebhookGate GateKind = "pod-webhook" // a mutating webhook that matches its pods has ready endpoints
	ConversionGate GateKind = "conversion"  // the webhook that converts it to its stored version has ready endpoints
	APIGate        GateKind = "api"         // the aggregated API that serves it is available
)

// A Gate is one condition that must hold before an object is applied.
type Gate struct {
	Kind    GateKind    `json:"kind"`
	On      cluster.Ref `json:"on"`               // the Namespace, CRD, webhook configuration or APIService
	Service cluster.Ref `json:"service,omitzero"` // the Service of a webhook
}

// String describes the condition: "Service/kubeflow/admission-webhook-service to have ready endpoints for MutatingWebhookConfiguration/…".
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

// A Cycle is a set of objects that would wait for each other. It is broken while planning.
type Cycle struct {
	Objects []cluster.Ref `json:"objects"`
	Cut     []Gate        `json:"cut"` // the gates that were removed
}
