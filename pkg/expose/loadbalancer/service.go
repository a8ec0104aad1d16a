package loadbalancer

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/tls"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// Method gives the dashboard its own address.
var Method = expose.Method{
	Name: "lb", Flag: "--lb", Summary: "an Azure load balancer address: public, limited (--source-ranges) or internal (--internal), over HTTPS with --tls",
}

func ServiceRef(namespace string) cluster.Ref {
	return cluster.Ref{APIVersion: "v1", Kind: "Service", Namespace: namespace, Name: dashboard.LoadBalancerName}
}

// NewPlan decides what to change so that the load balancer carries the dashboard. It is pure.
func NewPlan(t tls.Target, o expose.Options) (Plan, error) {
	plan := Plan{Service: ServiceRef(t.Namespace())}
	if t.AddressService != nil && expose.IsDeleting(t.AddressService) {
		return plan, &problem.Error{What: plan.Service.String() + " is being deleted", Next: "Wait for the deletion with: kubectl kubeflow expose --remove"}
	}
	if change := t.Allow(t.AllowPolicy); change != nil {
		plan.Changes = append(plan.Changes, *change) // before the address, so that no client is blocked
		plan.Notes = append(plan.Notes, policyNote(t))
	}
	before, err := t.LoadBalancer()
	if err != nil {
		return plan, err
	}
	plan.Adopts = t.AddressService != nil && !expose.CreatedByExpose(t.AddressService)
	wanted := before.DeepCopy()
	configure(t, wanted, o, plan.Adopts)
	plan.Reach, plan.Open = reachAfter(before, wanted)
	other := wanted.Spec.LoadBalancerIP //nolint:staticcheck // see Options.ApplyTo
	for _, had := range before.Status.LoadBalancer.Ingress {
		// When Azure changes the address, it reports the new one later.
		if dashboard.IsInternal(before) != dashboard.IsInternal(wanted) || other != "" && had.IP != other {
			plan.released = append(plan.released, had.IP)
		}
	}
	if wanted.Annotations[dashboard.DNSLabelAnnotation] != "" && dashboard.IsInternal(wanted) {
		return plan, &problem.Error{What: "a DNS label requires a public address, and this one is internal",
			Next: `Remove it with --dns-label "", or set a name of your own DNS zone with --host`}
	}
	change, err := serviceChange(t, wanted)
	if err != nil {
		return plan, err
	}
	if change != nil {
		plan.Changes = append(plan.Changes, *change)
	}
	address := dashboard.IPOf(before)
	if slices.Contains(plan.released, address) {
		address = ""
	}
	if plan.TLS, err = tls.NewPlan(t, o, address); err != nil {
		return plan, err
	}
	if source := t.Source(o); source != nil && source.From == expose.LetsEncrypt && plan.Reach != dashboard.Public {
		return plan, &problem.Error{What: "Let's Encrypt connects from anywhere on the internet, also for renewals, and this address would not admit it",
			Next: "Use a private CA with --tls self-signed, or your own certificate with --tls-secret NAME"}
	}
	plan.Notes = slices.Concat(plan.Notes, alsoPublic(t, plan), plan.TLS.Notes)
	return plan, nil
}

// reachAfter tells who can connect once the Service is as wanted. Addresses that it loses by that say nothing about it.
func reachAfter(before, wanted *corev1.Service) (dashboard.Reach, string) {
	after := wanted.DeepCopy()
	if dashboard.IsInternal(before) != dashboard.IsInternal(wanted) {
		after.Status.LoadBalancer.Ingress = nil
	}
	return dashboard.ReachOf(after)
}

// alsoPublic lists the other public endpoints of the dashboard, if this one is not public.
func alsoPublic(t tls.Target, plan Plan) []string {
	var notes []string
	for _, e := range expose.Endpoints(t.Target) {
		if plan.Reach != dashboard.Public && e.Reach == dashboard.Public && e.About != plan.Service && e.URL != "" {
			notes = append(notes, fmt.Sprintf("%s remains open to the whole internet at %s.", e.About, e.URL))
		}
	}
	return notes
}

func policyNote(t tls.Target) string {
	if t.Engine == "" {
		return "NetworkPolicies would block clients of the gateway. No known network policy engine enforces them on this cluster; a policy that admits the clients is added anyway, in case one is installed later."
	}
	return fmt.Sprintf("NetworkPolicies block clients of the gateway, and %s enforces them: a policy that admits them is added.", t.Engine)
}

// configure sets the fields of the Service. Options that are not set change nothing.
func configure(t tls.Target, s *corev1.Service, o expose.Options, adopted bool) {
	if !adopted {
		s.Labels = maps.Clone(s.Labels)
		if s.Labels == nil {
			s.Labels = map[string]string{}
		}
		maps.Copy(s.Labels, dashboard.ManagedLabels)
	}
	s.Spec.Type = corev1.ServiceTypeLoadBalancer
	s.Spec.Selector = maps.Clone(t.Service.Spec.Selector)
	s.Spec.Ports = ports(t, s.Spec.Ports, o, adopted)
	if o.SourceRanges != nil {
		s.Spec.LoadBalancerSourceRanges = *o.SourceRanges
	}
	o.ApplyTo(s)
}

// ports returns one port for each listener. The node ports that the server chose are kept,
// and so are the other ports of an adopted Service if the gateway's own Service has them too, with its targets.
func ports(t tls.Target, have []corev1.ServicePort, o expose.Options, adopted bool) []corev1.ServicePort {
	var wanted []corev1.ServicePort
	for i, listener := range t.Listeners(o) {
		port := portFor(have, listener)
		port.TargetPort, port.Protocol = listener.Target, corev1.ProtocolTCP
		port.AppProtocol = nil // with it AKS probes by HTTP, and redirects count as unhealthy
		if i == 0 && o.Port != 0 {
			port.Port = o.Port
		}
		wanted = append(wanted, port)
	}
	for _, port := range have {
		own := dashboard.PortOf(t.Service, port.Port)
		if adopted && own != nil && !conflicts(wanted, port) {
			port.TargetPort, port.AppProtocol = dashboard.TargetOf(own), nil
			wanted = append(wanted, port)
		}
	}
	return wanted
}

// portFor returns the existing port for a listener, or a new one.
func portFor(have []corev1.ServicePort, l dashboard.Listener) corev1.ServicePort {
	name := "http"
	if l.TLS {
		name = "https"
	}
	meant := []func(corev1.ServicePort) bool{
		func(p corev1.ServicePort) bool { return dashboard.TargetOf(&p) == l.Target },
		func(p corev1.ServicePort) bool { return p.Port == l.Port },
		func(p corev1.ServicePort) bool { return p.Name == name },
	}
	for _, is := range meant {
		for _, p := range have {
			if is(p) {
				return p
			}
		}
	}
	return corev1.ServicePort{Name: name, Port: l.Port}
}

func conflicts(ports []corev1.ServicePort, port corev1.ServicePort) bool {
	for _, p := range ports {
		if p.Name == port.Name || p.Port == port.Port {
			return true
		}
	}
	return false
}

// serviceChange returns the change to the wanted Service, nil when nothing differs.
// A new one is applied. An existing one is patched: only what differs, and only if it has not changed meanwhile.
func serviceChange(t tls.Target, wanted *corev1.Service) (*cluster.Change, error) {
	if t.AddressService == nil {
		ref := ServiceRef(t.Namespace())
		wanted.APIVersion, wanted.Kind, wanted.Name, wanted.Namespace = ref.APIVersion, ref.Kind, ref.Name, ref.Namespace
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(wanted)
		if err != nil {
			return nil, fmt.Errorf("encoding %s: %w", ref, err)
		}
		o := &unstructured.Unstructured{Object: content}
		unstructured.RemoveNestedField(o.Object, "status")
		unstructured.RemoveNestedField(o.Object, "metadata", "creationTimestamp")
		return &cluster.Change{Verb: cluster.Apply, After: o}, nil
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(wanted)
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", cluster.RefOf(t.AddressService), err)
	}
	change := cluster.Edit(t.AddressService, func(o *unstructured.Unstructured) {
		for _, path := range [][]string{
			{"metadata", "labels"}, {"metadata", "annotations"},
			{"spec", "type"}, {"spec", "selector"}, {"spec", "ports"}, {"spec", "loadBalancerSourceRanges"}, {"spec", "loadBalancerIP"},
		} {
			if value, ok, _ := unstructured.NestedFieldNoCopy(content, path...); ok {
				_ = unstructured.SetNestedField(o.Object, value, path...) // the path is an object's: it cannot fail
			} else {
				unstructured.RemoveNestedField(o.Object, path...)
			}
		}
	})
	if strings.TrimSpace(cluster.Diff(change.Before, change.After)) == "" {
		return nil, nil
	}
	return &change, nil
}
