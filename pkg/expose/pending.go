package expose

import (
	"cmp"
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A Delay is why a Service has no address yet, and what to do about it.
type Delay struct {
	Why    string // "Azure has no public address left to give"
	Advice string // what to do; "" when waiting is right
}

// refusals are what Azure says when it does not give an address, by a part of its words.
var refusals = []struct {
	words []string
	Delay
}{
	{[]string{"PublicIPCountLimitReached", "PublicIPAddressCountLimit"}, Delay{
		"Azure has no public address left to give in this region for this subscription",
		"Free one (az network public-ip list -o table), ask for a higher quota, or use an internal address: kubectl kubeflow expose --lb --internal"}},
	{[]string{"AuthorizationFailed", "LinkedAuthorizationFailed", "does not have authorization"}, Delay{
		"the cluster's identity may not make the address: Azure answers AuthorizationFailed",
		`Give it the role: az role assignment create --assignee $(az aks show -g GROUP -n CLUSTER --query identity.principalId -o tsv) --role "Network Contributor" --scope SUBNET-OR-GROUP-ID`}},
	{[]string{"RequestDisallowedByPolicy"}, Delay{
		"an Azure Policy forbids this kind of address",
		"An internal one may be allowed: kubectl kubeflow expose --lb --internal"}},
	{[]string{"SubnetIsFull", "InsufficientSubnetSize", "NoAvailableIP"}, Delay{
		"the cluster's subnet has no address left", "Make the subnet larger, or free addresses in it"}},
	{[]string{"SubnetNotFound", "InvalidSubnet"}, Delay{
		"the subnet for the address is not there", "See the Service's azure-load-balancer-internal-subnet annotation"}},
	{[]string{"QuotaExceeded", "LimitReached"}, Delay{
		"a quota of the Azure subscription is used up", "See what is used: az network list-usages --location REGION -o table"}},
	{[]string{"TooManyRequests", "OperationNotAllowed: throttled"}, Delay{
		"Azure asks to slow down; it is tried again by itself", ""}},
}

// explain says in plain words what a Service's events tell about its missing address. It is pure; the latest event counts.
func explain(events []corev1.Event) Delay {
	slices.SortStableFunc(events, func(a, b corev1.Event) int { return cmp.Compare(happened(a).UnixNano(), happened(b).UnixNano()) })
	for _, event := range slices.Backward(events) {
		if event.Type != corev1.EventTypeWarning {
			continue
		}
		for _, refusal := range refusals {
			if slices.ContainsFunc(refusal.words, func(word string) bool { return strings.Contains(event.Message, word) }) {
				return refusal.Delay
			}
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
	return explain(list.Items)
}
