package ui

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/loadbalancer"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/portforward"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/probe"
)

func exposed() *expose.Exposure {
	service := func(name string) cluster.Ref {
		return cluster.Ref{APIVersion: "v1", Kind: "Service", Namespace: "istio-system", Name: name}
	}
	e := expose.NewExposure()
	e.Context, e.Server = "aks", "https://aks.example:443"
	e.Authentication = &dashboard.Authentication{By: "none", Reason: "EnvoyFilter/istio-system/add-user-filter authenticates every request as the same anonymous user"}
	e.Endpoints = []expose.Endpoint{
		{Endpoint: dashboard.Endpoint{Via: "LoadBalancer", About: service(dashboard.LoadBalancerName), URL: "http://20.1.2.3/", Reach: dashboard.Restricted,
			SourceRanges: []string{"203.0.113.7/32"}, Blocked: []int32{8080}}, CreatedByExpose: true,
			Answer: &probe.Result{What: probe.Unhealthy, Message: "the gateway answers 503: upstream connect error"}},
		{Endpoint: dashboard.Endpoint{Via: "LoadBalancer", About: service("other"), Reach: dashboard.Public}, Pending: "the load balancer is being created"},
		{Endpoint: dashboard.Endpoint{Via: "ClusterIP", About: service("istio-ingressgateway"), Reach: dashboard.InCluster}},
	}
	e.Advise()
	return e
}

func TestExposureShowsEndpointsAuthenticationAndNextSteps(t *testing.T) {
	var out bytes.Buffer
	s := &Screen{Out: &out, ErrOut: &out, Width: 80, Unicode: true}
	s.Exposure(exposed(), []expose.Method{{Name: "lb", Flag: "--lb", Summary: "an address"}})
	want := `The dashboard on context aks (https://aks.example:443)

✗ http://20.1.2.3/ the gateway answers 503: upstream connect error
  LoadBalancer istio-system/kubeflowdashboard-lb, from its source ranges only
  (203.0.113.7/32), created by expose
  NetworkPolicies block port 8080 of the gateway; expose --lb adds one that
  allows it
! no address yet: the load balancer is being created
  LoadBalancer istio-system/other, from the whole internet
- reachable from inside the cluster
  ClusterIP istio-system/istio-ingressgateway
✗ Requests are not authenticated: EnvoyFilter/istio-system/add-user-filter
  authenticates every request as the same anonymous user.

Next steps
  kubectl kubeflow expose --lb
      admit clients through the NetworkPolicies
  kubectl kubeflow doctor
      see why it does not answer
  kubectl kubeflow expose --lb --tls
      encrypt it: over plain HTTP passwords can be read in transit
  kubectl kubeflow expose --lb --source-ranges CIDR,...
      limit the clients: requests are not authenticated

Methods
  kubectl kubeflow expose --lb
      an address

Undo with: kubectl kubeflow expose --remove
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLongLinesAreFoldedBetweenWords(t *testing.T) {
	var out bytes.Buffer
	s := &Screen{Out: &out, ErrOut: &out, Width: 60, Unicode: false}
	s.Exposure(exposed(), []expose.Method{portforward.Method, loadbalancer.Method})
	s.Left(exposed().Endpoints)
	for line := range strings.Lines(out.String()) {
		if len(line) > 61 && strings.Contains(strings.TrimSpace(line), " ") && !strings.Contains(line, "kubectl") {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
}

func TestWithoutUnicodeSignsAreASCII(t *testing.T) {
	var out bytes.Buffer
	s := &Screen{Out: &out, ErrOut: &out, Width: 80}
	s.Reached("http://20.1.2.3/", dashboard.Public, probe.Result{What: probe.Dashboard, Message: "answers 200"})
	if want := "+ http://20.1.2.3/ answers 200\n  reachable from the whole internet\n"; out.String() != want {
		t.Errorf("%q", out.String())
	}
}

func TestRemovalShowsRemainingEndpoints(t *testing.T) {
	var out bytes.Buffer
	s := &Screen{Out: &out, ErrOut: &out, Width: 100, Unicode: true}
	s.Left(exposed().Endpoints[1:])
	want := "! Kept, because expose did not create it: LoadBalancer istio-system/other (no address yet)\n" +
		"  Delete it with: kubectl delete service -n istio-system other\n"
	if out.String() != want {
		t.Errorf("%q", out.String())
	}
	out.Reset()
	s.Left(exposed().Endpoints[2:])
	if !strings.Contains(out.String(), "no address outside the cluster") {
		t.Errorf("%q", out.String())
	}
}
