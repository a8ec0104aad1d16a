package dashboard

import (
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

const (
	servicePrefix = "service.beta.kubernetes.io/"
	azurePrefix   = servicePrefix + "azure-"
)

// What AKS reads from a Service of type LoadBalancer
// (https://learn.microsoft.com/azure/aks/load-balancer-standard).
const (
	InternalAnnotation = azurePrefix + "load-balancer-internal"
	DNSLabelAnnotation = azurePrefix + "dns-label-name"
	RangesAnnotation   = azurePrefix + "allowed-ip-ranges"
	TagsAnnotation     = azurePrefix + "allowed-service-tags"
	sourcesAnnotation  = servicePrefix + "load-balancer-source-ranges" // Kubernetes' own, before the field
)

// HostAnnotation keeps the DNS name of the dashboard, for the next run and for showing the URL.
const HostAnnotation = "kubectl-kubeflow/host"

// harmless are the annotations of Azure's cloud provider that cannot widen who reaches an address
// (https://cloud-provider-azure.sigs.k8s.io/topics/loadbalancer/): which subnet, load balancer, resource group and address it has, its
// name and tags, time-outs, and what narrows it further.
var harmless = func() map[string]bool {
	known := map[string]bool{InternalAnnotation: true, DNSLabelAnnotation: true, RangesAnnotation: true, TagsAnnotation: true, sourcesAnnotation: true}
	for _, name := range []string{
		"load-balancer-internal-subnet", "load-balancer-mode", "load-balancer-configurations", "load-balancer-resource-group",
		"load-balancer-tcp-idle-timeout", "load-balancer-disable-tcp-reset", "load-balancer-enable-high-availability-ports",
		"load-balancer-ipv4", "load-balancer-ipv6", "disable-load-balancer-floating-ip", "shared-securityrule",
		"pip-name", "pip-name-ipv6", "pip-prefix-id", "pip-prefix-id-ipv6", "pip-tags", "pip-ip-tags",
		"deny-all-except-load-balancer-source-ranges",
	} {
		known[azurePrefix+name] = true
	}
	return known
}()

// probing are annotations of health probes and of the load balancer's rules for single ports.
var probing = regexp.MustCompile(`^service\.beta\.kubernetes\.io/(azure-load-balancer-health-probe-[a-z-]+|port_\d+_(health-probe_[a-z-]+|no_lb_rule|no_probe_rule))$`)

// narrowTags are the service tags that stand for the virtual network and for the load balancer's own probes. All others stand for
// addresses of services that others use as well: AzureFrontDoor.Backend sends what any Front Door profile receives from the internet.
var narrowTags = map[string]bool{"VirtualNetwork": true, "AzureLoadBalancer": true}

// widening returns an annotation for the load balancer that may widen who reaches it, and how; "" when all are known not to.
func widening(annotations map[string]string) (key, why string) {
	var unknown []string
	for key := range annotations {
		provider := strings.HasPrefix(key, servicePrefix) || strings.Contains(strings.ToLower(key), "azure")
		if provider && !harmless[key] && !probing.MatchString(key) {
			unknown = append(unknown, key)
		}
	}
	if len(unknown) == 0 {
		return "", ""
	}
	key = slices.Min(unknown)
	switch {
	case strings.HasPrefix(key, azurePrefix+"pls-"):
		return key, "offers it to other networks as a private link service"
	case key == azurePrefix+"additional-public-ips":
		return key, "gives it further public addresses"
	}
	return key, "is not known to keep its reach"
}

// hasLimit reports whether an annotation limits the sources of a load balancer, validly or not.
func hasLimit(s *corev1.Service) bool {
	for _, key := range []string{sourcesAnnotation, RangesAnnotation, TagsAnnotation} {
		if _, set := s.Annotations[key]; set {
			return true
		}
	}
	return false
}

// listOf returns the entries of an annotation. An annotation without a value has an entry without one.
func listOf(s *corev1.Service, key string) []string {
	value, set := s.Annotations[key]
	if !set {
		return nil
	}
	entries := strings.Split(value, ",")
	for i := range entries {
		entries[i] = strings.TrimSpace(entries[i])
	}
	return entries
}
