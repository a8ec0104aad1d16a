package kubetest

import (
	"fmt"
	"os"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	sigsyaml "sigs.k8s.io/yaml"
)

// A Reachable is a Service of type LoadBalancer, and who should be able to connect to it in each address family.
type Reachable struct {
	About    string            `json:"about"`
	Internal string            `json:"internal"`
	Azure    map[string]string `json:"azure"` // further annotations of Azure, without their prefix
	Ranges   []string          `json:"ranges"`
	Count    int               `json:"count"` // so many further ranges of a /16 each
	Class    string            `json:"class"`
	Address  string            `json:"address"`
	External string            `json:"external"`

	V4   string `json:"v4"`
	V6   string `json:"v6"`
	Both string `json:"both"`
}

// Reachables reads the Services of a file.
func Reachables(t testing.TB, file string) []Reachable {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []Reachable
	if err := sigsyaml.UnmarshalStrict(data, &all); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return all
}

// Families are the address families of Services, in the order of the columns.
var Families = [][]corev1.IPFamily{{corev1.IPv4Protocol}, {corev1.IPv6Protocol}, {corev1.IPv4Protocol, corev1.IPv6Protocol}}

// Want returns who should be able to connect, for each of Families.
func (r Reachable) Want() []string { return []string{r.V4, r.V6, r.Both} }

// Service returns the Service with addresses of some families.
func (r Reachable) Service(families []corev1.IPFamily) *corev1.Service {
	const prefix = "service.beta.kubernetes.io/azure-"
	annotations := map[string]string{}
	for key, value := range r.Azure {
		annotations[prefix+key] = value
	}
	if r.Internal != "" {
		annotations[prefix+"load-balancer-internal"] = r.Internal
	}
	s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Annotations: annotations}, Spec: corev1.ServiceSpec{
		Type: corev1.ServiceTypeLoadBalancer, LoadBalancerSourceRanges: r.Ranges, IPFamilies: families,
	}}
	for i := range r.Count {
		s.Spec.LoadBalancerSourceRanges = append(s.Spec.LoadBalancerSourceRanges, fmt.Sprintf("%d.%d.0.0/16", 20+i%8, 2*(i/8)))
	}
	if r.Class != "" {
		s.Spec.LoadBalancerClass = &r.Class
	}
	if r.External != "" {
		s.Spec.ExternalIPs = []string{r.External}
	}
	if r.Address != "" {
		s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: r.Address}}
	}
	return s
}
