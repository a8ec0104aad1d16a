package netpolicy

import (
	"net/netip"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

func gatewayPod() *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Labels: map[string]string{"app": "istio-ingressgateway"}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}},
		}}},
	}
}

func TestWhatAPolicyEngineLetsThroughToTheGateway(t *testing.T) {
	const sameNamespace = `{podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {}}]}]}`
	for _, c := range []struct {
		name  string
		specs []string
		want  bool
	}{
		{"no policy at all", nil, true},
		{"26.03: only the own namespace", []string{sameNamespace}, false},
		{"that and a policy for the gateway's ports", []string{sameNamespace,
			`{podSelector: {matchLabels: {app: istio-ingressgateway}}, policyTypes: [Ingress], ingress: [{ports: [{port: 8080, protocol: TCP}]}]}`}, true},
		{"a policy for other ports", []string{`{podSelector: {}, ingress: [{ports: [{port: 8443}]}]}`}, false},
		{"a range of ports", []string{`{podSelector: {}, ingress: [{ports: [{port: 8000, endPort: 8090}]}]}`}, true},
		{"a port by its name", []string{`{podSelector: {}, ingress: [{ports: [{port: http}]}]}`}, true},
		{"a block that holds the source", []string{`{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 127.0.0.0/8}}]}]}`}, true},
		{"a block that leaves it out", []string{`{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 127.0.0.0/8, except: [127.0.0.1/32]}}]}]}`}, false},
		{"a policy for other pods", []string{`{podSelector: {matchLabels: {app: istiod}}, ingress: []}`}, true},
		{"a policy for what goes out", []string{`{podSelector: {}, policyTypes: [Egress]}`}, true},
		{"UDP only", []string{`{podSelector: {}, ingress: [{ports: [{protocol: UDP, port: 8080}]}]}`}, false},
	} {
		var policies []*networking.NetworkPolicy
		for _, spec := range c.specs {
			policy := &networking.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system"}}
			if err := yaml.Unmarshal([]byte(spec), &policy.Spec); err != nil {
				t.Fatal(err)
			}
			policies = append(policies, policy)
		}
		if got := AdmitsOutside(policies, gatewayPod(), 8080, netip.MustParseAddr("127.0.0.1")); got != c.want {
			t.Errorf("%s: admitted %v, want %v", c.name, got, c.want)
		}
	}
}
