package loadbalancer

import (
	"cmp"
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// delayOf explains a missing address by the Service's latest warning event. It is pure.
func delayOf(events []corev1.Event) problem.Error {
	slices.SortStableFunc(events, func(a, b corev1.Event) int { return cmp.Compare(timeOf(a).UnixNano(), timeOf(b).UnixNano()) })
	for _, event := range slices.Backward(events) {
		if event.Type != corev1.EventTypeWarning || repair(event) {
			continue
		}
		if refusal, known := cluster.ExplainAzure(event.Message); known {
			return refusal
		}
		return problem.Error{What: event.Reason + ": " + text.FirstLine(event.Message)}
	}
	return problem.Error{What: "the load balancer is being created"}
}

// repair reports whether the API server says that it repairs its record of ports and addresses: that delays nothing.
func repair(e corev1.Event) bool {
	return strings.Contains(cmp.Or(e.ReportingController, e.Source.Component), "allocator-repair")
}

func timeOf(e corev1.Event) metav1.Time {
	switch {
	case !e.LastTimestamp.IsZero():
		return e.LastTimestamp
	case !e.EventTime.IsZero():
		return metav1.NewTime(e.EventTime.Time)
	}
	return e.CreationTimestamp
}

// WhyPending explains by the events of a Service why it has no address. Without permission to read them it returns the usual reason.
func WhyPending(ctx context.Context, c *cluster.Client, service cluster.Ref) problem.Error {
	list, err := c.Kube.CoreV1().Events(service.Namespace).List(ctx, metav1.ListOptions{
		FieldSelector: fields.Set{"involvedObject.kind": "Service", "involvedObject.name": service.Name}.String(),
	})
	if err != nil {
		return delayOf(nil)
	}
	if len(list.Items) == 0 {
		return problem.Error{What: "no controller has reported on it yet", Next: "On a cluster without a load balancer controller, use", Command: "kubectl kubeflow expose --port-forward"}
	}
	return delayOf(list.Items)
}
