package expose

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestRangesAreReadAsPeopleTypeThem(t *testing.T) {
	got, err := ParseRanges([]string{"203.0.113.7", " 198.51.100.9/24", "", "2001:db8::1", "2001:db8::1/32"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"203.0.113.7/32", "198.51.100.0/24", "2001:db8::1/128", "2001:db8::/32"}, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"office", "10.0.0.0/33", "10.0.0", "10.0.0.0/8/8", "fe80::1%eth0", "10.0.0.0-10.0.0.9"} {
		if got, err := ParseRanges([]string{bad}); err == nil {
			t.Errorf("%q is read as %v", bad, got)
		}
	}
}

func TestWhoCanConnect(t *testing.T) {
	for _, c := range []struct {
		kind        corev1.ServiceType
		annotations map[string]string
		ranges      []string
		want        Reach
	}{
		{corev1.ServiceTypeClusterIP, nil, nil, InCluster},
		{corev1.ServiceTypeNodePort, nil, nil, Internal},
		{corev1.ServiceTypeLoadBalancer, nil, nil, Public},
		{corev1.ServiceTypeLoadBalancer, nil, []string{"203.0.113.0/24"}, Restricted},
		{corev1.ServiceTypeLoadBalancer, nil, []string{"203.0.113.0/24", "0.0.0.0/0"}, Public},
		{corev1.ServiceTypeLoadBalancer, nil, []string{"::/0"}, Public},
		{corev1.ServiceTypeLoadBalancer, map[string]string{internalAnnotation: "true"}, nil, Internal},
		{corev1.ServiceTypeLoadBalancer, map[string]string{internalAnnotation: "false"}, nil, Public},
		{corev1.ServiceTypeLoadBalancer, map[string]string{limitAnnotations[0]: "203.0.113.0/24"}, nil, Restricted},
		{corev1.ServiceTypeLoadBalancer, map[string]string{limitAnnotations[1]: "203.0.113.0/24,0.0.0.0/0"}, nil, Public},
		{corev1.ServiceTypeLoadBalancer, map[string]string{limitAnnotations[2]: "AzureFrontDoor.Backend"}, nil, Restricted},
	} {
		s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Annotations: c.annotations}, Spec: corev1.ServiceSpec{Type: c.kind, LoadBalancerSourceRanges: c.ranges}}
		if got := reachOf(s); got != c.want {
			t.Errorf("%s %v %v: %s, want %s", c.kind, c.annotations, c.ranges, got, c.want)
		}
	}
}

func TestMethodsAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range Methods() {
		if m.Name == "" || m.Flag != "--"+m.Name || m.Summary == "" || seen[m.Name] {
			t.Errorf("%+v", m)
		}
		seen[m.Name] = true
	}
}
