package expose

import (
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
)

// groupAnnotation is the resource group of the public address, if it is not that of the nodes.
const groupAnnotation = "service.beta.kubernetes.io/azure-load-balancer-resource-group"

// ApplyTo sets on a Service what the options request of its address. Options that are not set change nothing.
func (o Options) ApplyTo(s *corev1.Service) {
	s.Annotations = maps.Clone(s.Annotations)
	if s.Annotations == nil {
		s.Annotations = map[string]string{}
	}
	set := func(key string, value *string) {
		switch {
		case value == nil:
		case *value == "":
			delete(s.Annotations, key)
		default:
			s.Annotations[key] = *value
		}
	}
	if o.Internal != nil {
		value := ""
		if *o.Internal {
			value = "true"
		}
		set(dashboard.InternalAnnotation, &value)
	}
	set(dashboard.DNSLabelAnnotation, o.DNSLabel)
	set(groupAnnotation, o.IPGroup)
	set(dashboard.HostAnnotation, o.Host)
	for key, value := range o.Annotations {
		set(key, &value)
	}
	if o.IP != nil {
		s.Spec.LoadBalancerIP = *o.IP //nolint:staticcheck // the only field that AKS reads in every Kubernetes version
	}
}

// Check returns an error for options that Azure would not accept.
func (o Options) Check() error {
	if o.DNSLabel != nil && *o.DNSLabel != "" && !dnsLabel.MatchString(*o.DNSLabel) {
		return fmt.Errorf("--dns-label cannot be %q: it has 3 to 63 lower-case letters, digits and dashes, begins with a letter and ends with a letter or digit", *o.DNSLabel)
	}
	if o.IP != nil && *o.IP != "" {
		if address, err := netip.ParseAddr(*o.IP); err != nil || address.Zone() != "" {
			return fmt.Errorf("--ip cannot be %q: it is an address such as 20.1.2.3", *o.IP)
		}
	}
	if o.Host != nil && *o.Host != "" && (len(validation.IsDNS1123Subdomain(*o.Host)) > 0 || !strings.Contains(*o.Host, ".")) {
		return fmt.Errorf("--host cannot be %q: it is a full name such as kubeflow.example.com", *o.Host)
	}
	return nil
}

var dnsLabel = regexp.MustCompile(`^[a-z][a-z0-9-]{1,61}[a-z0-9]$`)

// ParseAnnotations parses annotations in the syntax of kubectl annotate: KEY=VALUE sets one, KEY- removes it, which is "" here.
func ParseAnnotations(typed []string) (map[string]string, error) {
	all := map[string]string{}
	for _, one := range typed {
		key, value, ok := strings.Cut(one, "=")
		if bare, off := strings.CutSuffix(one, "-"); !ok && off {
			key, value, ok = bare, "", true
		}
		if !ok || len(validation.IsQualifiedName(key)) > 0 {
			return nil, fmt.Errorf("%q is neither KEY=VALUE nor KEY-", one)
		}
		all[key] = value
	}
	return all, nil
}
