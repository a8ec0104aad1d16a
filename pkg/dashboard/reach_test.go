package dashboard

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestReachIsWhoCanConnect(t *testing.T) {
	sixteenths := []string{}
	for _, first := range []string{"0", "16", "32", "48", "64", "80", "96", "112", "128", "144", "160", "176", "192", "208", "224", "240"} {
		sixteenths = append(sixteenths, first+".0.0.0/4")
	}
	for _, c := range []struct {
		about       string
		kind        corev1.ServiceType
		annotations map[string]string
		ranges      []string
		want        Reach
	}{
		{"a ClusterIP", corev1.ServiceTypeClusterIP, nil, nil, InCluster},
		{"no type, which is a ClusterIP", "", nil, nil, InCluster},
		{"a NodePort", corev1.ServiceTypeNodePort, nil, nil, Internal},
		{"no limit", corev1.ServiceTypeLoadBalancer, nil, nil, Public},
		{"one range", corev1.ServiceTypeLoadBalancer, nil, []string{"203.0.113.0/24"}, Restricted},
		{"all of IPv4 beside a range", corev1.ServiceTypeLoadBalancer, nil, []string{"203.0.113.0/24", "0.0.0.0/0"}, Public},
		{"all of IPv6", corev1.ServiceTypeLoadBalancer, nil, []string{"::/0"}, Public},
		{"two halves", corev1.ServiceTypeLoadBalancer, nil, []string{"0.0.0.0/1", "128.0.0.0/1"}, Public},
		{"sixteen ranges that are all of IPv4", corev1.ServiceTypeLoadBalancer, nil, sixteenths, Public},
		{"all of IPv4 in IPv6's notation", corev1.ServiceTypeLoadBalancer, nil, []string{"::ffff:0.0.0.0/96"}, Public},
		{"the same range often", corev1.ServiceTypeLoadBalancer, nil, []string{"10.0.0.0/4", "10.0.0.0/4", "10.0.0.0/8"}, Restricted},
		{"a range that is none", corev1.ServiceTypeLoadBalancer, nil, []string{"everywhere"}, Public},
		{"internal", corev1.ServiceTypeLoadBalancer, map[string]string{InternalAnnotation: "true"}, nil, Internal},
		{"not internal", corev1.ServiceTypeLoadBalancer, map[string]string{InternalAnnotation: "false"}, nil, Public},
		{"a spelling of true that Azure does not take", corev1.ServiceTypeLoadBalancer, map[string]string{InternalAnnotation: "True"}, nil, Public},
		{"Kubernetes' annotation", corev1.ServiceTypeLoadBalancer, map[string]string{sourcesAnnotation: "203.0.113.0/24"}, nil, Restricted},
		{"Azure's annotation with everything", corev1.ServiceTypeLoadBalancer, map[string]string{RangesAnnotation: "203.0.113.0/24,0.0.0.0/0"}, nil, Public},
		{"an annotation that widens the field", corev1.ServiceTypeLoadBalancer, map[string]string{RangesAnnotation: "0.0.0.0/0"}, []string{"203.0.113.0/24"}, Public},
		{"a service tag", corev1.ServiceTypeLoadBalancer, map[string]string{TagsAnnotation: "AzureFrontDoor.Backend"}, nil, Restricted},
		{"the service tag of the internet", corev1.ServiceTypeLoadBalancer, map[string]string{TagsAnnotation: "AzureFrontDoor.Backend,Internet"}, []string{"203.0.113.0/24"}, Public},
	} {
		s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Annotations: c.annotations}, Spec: corev1.ServiceSpec{Type: c.kind, LoadBalancerSourceRanges: c.ranges}}
		got, open := ReachOf(s)
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.about, got, c.want)
		}
		if limited := len(c.ranges)+len(s.Annotations[RangesAnnotation])+len(s.Annotations[TagsAnnotation]) > 0; (open != "") != (got == Public && limited) {
			t.Errorf("%s: the reason is %q", c.about, open)
		}
	}
}
