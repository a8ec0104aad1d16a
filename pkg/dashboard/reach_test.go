package dashboard_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
)

func TestReachIsWhoCanConnect(t *testing.T) {
	for _, r := range kubetest.Reachables(t, "testdata/reach.yaml") {
		for i, families := range kubetest.Families {
			s := r.Service(families)
			got, open := dashboard.ReachOf(s)
			if want := r.Want()[i]; string(got) != want {
				t.Errorf("%s, %v: %s, want %s (%s)", r.About, families, got, want, open)
			}
			if limited := r.About != "no limit"; (open != "") != (got == dashboard.Public && limited) {
				t.Errorf("%s, %v: the reason is %q", r.About, families, open)
			}
			if got == dashboard.Public {
				continue
			}
			for key, want := range map[string]dashboard.Reach{
				"service.beta.kubernetes.io/azure-new":   dashboard.Public,
				"service.beta.kubernetes.io/port_80_new": dashboard.Public,
				"networking.Azure.example/new":           dashboard.Public,
				"example.com/owner":                      got, // the cloud provider does not read it
			} {
				s.Annotations[key] = "x"
				if with, _ := dashboard.ReachOf(s); with != want {
					t.Errorf("%s, %v: %s with annotation %s, want %s", r.About, families, with, key, want)
				}
				delete(s.Annotations, key)
			}
		}
	}
}

func TestReachDependsOnTheType(t *testing.T) {
	for kind, want := range map[corev1.ServiceType]dashboard.Reach{
		corev1.ServiceTypeClusterIP: dashboard.InCluster, "": dashboard.InCluster, corev1.ServiceTypeNodePort: dashboard.Internal, corev1.ServiceTypeLoadBalancer: dashboard.Public,
	} {
		if got, _ := dashboard.ReachOf(&corev1.Service{Spec: corev1.ServiceSpec{Type: kind}}); got != want {
			t.Errorf("%q: %s, want %s", kind, got, want)
		}
	}
}

// An external IP is an address of every node that routes it.
func TestAPrivateExternalIPReachesTheNetworkOnly(t *testing.T) {
	if got, open := dashboard.ReachOf(&corev1.Service{Spec: corev1.ServiceSpec{ExternalIPs: []string{"10.9.9.9"}}}); got != dashboard.Internal || open != "" {
		t.Errorf("%s (%s), want %s", got, open, dashboard.Internal)
	}
}

// Ranges at random: what counts as restricted admits few of many addresses chosen at random, and a further range never narrows.
func TestRandomRangesAreRestrictedOnlyIfTheyAdmitFew(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	restricted := 0
	for range 3000 {
		s := &corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, IPFamilies: []corev1.IPFamily{corev1.IPv4Protocol}}}
		total := 0.0
		for range 1 + random.IntN(12) {
			bits := 8 + random.IntN(17)
			s.Spec.LoadBalancerSourceRanges = append(s.Spec.LoadBalancerSourceRanges, fmt.Sprintf("%d.%d.%d.0/%d", 20+random.IntN(40), random.IntN(256), random.IntN(256), bits))
			total += 1 / float64(int(1)<<bits)
		}
		got, _ := dashboard.ReachOf(s)
		largest := 1.0 / float64(1<<10)
		if got == dashboard.Restricted {
			restricted++
		} else if total <= largest {
			t.Fatalf("%v are %s", s.Spec.LoadBalancerSourceRanges, got)
		}
		if s.Spec.LoadBalancerSourceRanges = append(s.Spec.LoadBalancerSourceRanges, "128.0.0.0/9"); got == dashboard.Public {
			if wider, _ := dashboard.ReachOf(s); wider != dashboard.Public {
				t.Fatalf("%v are %s, and were public with less", s.Spec.LoadBalancerSourceRanges, wider)
			}
		} else if wider, _ := dashboard.ReachOf(s); wider != dashboard.Public {
			t.Fatalf("%v are %s", s.Spec.LoadBalancerSourceRanges, wider)
		}
	}
	if restricted < 100 {
		t.Errorf("only %d are restricted: the test is about nothing", restricted)
	}
}
