package expose

import (
	"cmp"
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A Delay is why a Service has no address yet, and what to do about it.
type Delay struct {
	Why     string // "Azure has no public address left to give"
	Advice  string // what to do, as a sentence; "" when waiting is right
	Command string // what to type for it; "" when there is nothing to type
}

// Next is the advice with its command.
func (d Delay) Next() string {
	if d.Command == "" {
		return d.Advice
	}
	return d.Advice + ": " + d.Command
}

// explain says in plain words what a Service's events tell about its missing address. It is pure; the latest event counts.
func explain(events []corev1.Event) Delay {
	slices.SortStableFunc(events, func(a, b corev1.Event) int { return cmp.Compare(happened(a).UnixNano(), happened(b).UnixNano()) })
	for _, event := range slices.Backward(events) {
		if event.Type != corev1.EventTypeWarning {
			continue
		}
		if refusal, known := cluster.AzureRefused(event.Message); known {
			return Delay(refusal)
		}
		return Delay{Why: event.Reason + ": " + firstLine(event.Message)}
	}
	return Delay{Why: "the load balancer is being set up"}
}

func happened(e corev1.Event) metav1.Time {
	switch {
	case !e.LastTimestamp.IsZero():
		return e.LastTimestamp
	case !e.EventTime.IsZero():
		return metav1.NewTime(e.EventTime.Time)
	}
	return e.CreationTimestamp
}

// WhyPending asks the events of a Service why it has no address. Without the permission to read them it says what is usual.
func WhyPending(ctx context.Context, c *cluster.Client, service cluster.Ref) Delay {
	list, err := c.Kube.CoreV1().Events(service.Namespace).List(ctx, metav1.ListOptions{
		FieldSelector: fields.Set{"involvedObject.kind": "Service", "involvedObject.name": service.Name}.String(),
	})
	if err != nil {
		return explain(nil)
	}
	if len(list.Items) == 0 {
		return Delay{Why: "nothing on this cluster has taken it up yet", Advice: "On a cluster without a load balancer nothing will: there, use", Command: "kubectl kubeflow expose --port-forward"}
	}
	return explain(list.Items)
}
