package loadbalancer

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestADelayIsExplainedByTheLatestWarningEvent(t *testing.T) {
	warning := func(minute int, message string) corev1.Event {
		return corev1.Event{
			Type: corev1.EventTypeWarning, Reason: "SyncLoadBalancerFailed", Message: message,
			LastTimestamp: metav1.NewTime(time.Date(2026, 1, 1, 0, minute, 0, 0, time.UTC)),
		}
	}
	normal := corev1.Event{Type: corev1.EventTypeNormal, Reason: "EnsuringLoadBalancer", Message: "Ensuring load balancer"}
	for _, c := range []struct {
		about  string
		events []corev1.Event
		why    string
		advice bool
	}{
		{"nothing yet", nil, "the load balancer is being created", false},
		{"in progress", []corev1.Event{normal}, "the load balancer is being created", false},
		{"no permission", []corev1.Event{normal, warning(1, `Error syncing load balancer: Code="AuthorizationFailed" Message="The client does not have authorization"`)},
			"the cluster's identity may not make or use the address: Azure answers AuthorizationFailed", true},
		{"no address left", []corev1.Event{warning(1, `Code="PublicIPCountLimitReached"`)},
			"the subscription has no public address left in this region", true},
		{"a policy", []corev1.Event{warning(1, `Code="RequestDisallowedByPolicy"`)}, "a policy of the subscription forbids this kind of address", true},
		{"the latest counts", []corev1.Event{warning(5, `Code="RequestDisallowedByPolicy"`), warning(2, `Code="AuthorizationFailed"`)},
			"a policy of the subscription forbids this kind of address", true},
		{"something new", []corev1.Event{warning(1, "an unknown failure\nand more")}, "SyncLoadBalancerFailed: an unknown failure", false},
	} {
		got := delayOf(c.events)
		if got.What != c.why || (got.Next != "") != c.advice {
			t.Errorf("%s: %+v", c.about, got)
		}
	}
}
