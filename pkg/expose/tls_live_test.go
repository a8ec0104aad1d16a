package expose_test

import (
	"context"
	cryptotls "crypto/tls"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/loadbalancer"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/probe"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/tls"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// secured does what expose --lb --tls does, and returns the address.
func (l *live) secured(t *testing.T, ctx context.Context, o expose.Options) (address string, plan tls.Plan) {
	t.Helper()
	agreed, _ := l.plan(t, ctx, o)
	l.expose(t, ctx, o)
	s, err := l.look(t, ctx).LoadBalancer()
	if err != nil {
		t.Fatal(err)
	}
	address = dashboard.IPOf(s)
	plan, err = tls.Secure(ctx, l.client, &agreed, o, address, func(problem.Error) {})
	if err != nil {
		t.Fatal(err)
	}
	return address, plan
}

func TestHTTPSIsVerifiedByItsCA(t *testing.T) {
	onAddresses(t, func(t *testing.T, ctx context.Context, l *live) {
		gateway := l.gateway(t, ctx)
		address, plan := l.secured(t, ctx, expose.Options{TLS: &expose.TLS{From: expose.SelfSigned}})
		request := probe.Request{URL: "https://" + address + "/", Roots: plan.CA(ctx, l.client.View())}
		answer := probe.Until(ctx, request, 20*time.Second)
		if answer.What != answers[l.shape] || answer.Certificate == nil || answer.Certificate.Trusted != probe.TrustedByCA {
			t.Errorf("%+v, certificate %+v", answer, answer.Certificate)
		}
		strict := &http.Client{
			Transport:     &http.Transport{TLSClientConfig: &cryptotls.Config{RootCAs: request.Roots}, DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
		response, err := strict.Get(request.URL)
		if err != nil {
			t.Errorf("a client that trusts only the CA: %v", err)
		} else {
			response.Body.Close()
		}
		if _, err := http.Get(request.URL); err == nil || !strings.Contains(err.Error(), "certificate signed by unknown authority") {
			t.Errorf("a client that does not trust it: %v", err)
		}
		if plain := probe.Do(ctx, probe.Request{URL: "http://" + address + "/"}); plain.To != request.URL {
			t.Errorf("plain HTTP is not redirected: %+v", plain)
		}
		for _, o := range []expose.Options{{}, {TLS: &expose.TLS{From: expose.SelfSigned}}} {
			if _, again := l.plan(t, ctx, o); len(again.All()) > 0 {
				t.Errorf("a second run changes %v", again.All()[0].Ref())
			}
		}
		l.remove(t, ctx)
		if diff := cmp.Diff(gateway, l.gateway(t, ctx)); diff != "" {
			t.Errorf("a removal leaves or changes something of the Gateway (-before +after):\n%s", diff)
		}
		if left := l.look(t, ctx).Inventory; !left.Empty() {
			t.Errorf("a removal leaves %d objects", len(left.Objects))
		}
	})
}

func TestTheCertificateFollowsTheAddressAndTheName(t *testing.T) {
	onAddresses(t, func(t *testing.T, ctx context.Context, l *live) {
		yes, host := true, "kubeflow.example.com"
		l.secured(t, ctx, expose.Options{TLS: &expose.TLS{From: expose.SelfSigned}})
		inside, plan := l.secured(t, ctx, expose.Options{Internal: &yes})
		roots := plan.CA(ctx, l.client.View())
		if answer := probe.Until(ctx, probe.Request{URL: "https://" + inside + "/", Roots: roots}, 20*time.Second); answer.Certificate == nil || answer.Certificate.Trusted != probe.TrustedByCA {
			t.Errorf("by the new address: %+v, certificate %+v", answer, answer.Certificate)
		}
		_, plan = l.secured(t, ctx, expose.Options{Host: &host})
		request := probe.Request{URL: "https://" + host + "/", Address: inside, Roots: plan.CA(ctx, l.client.View())}
		if answer := probe.Until(ctx, request, 20*time.Second); answer.Certificate == nil || answer.Certificate.Trusted != probe.TrustedByCA {
			t.Errorf("by the name: %+v, certificate %+v", answer, answer.Certificate)
		}
		if url := l.look(t, ctx).URL(loadbalancer.ServiceRef("istio-system")); url != request.URL {
			t.Errorf("the URL is %s", url)
		}
		if again := plan.CA(ctx, l.client.View()); !again.Equal(roots) {
			t.Error("the CA changed: clients that trusted the first one are warned again")
		}
	})
}

func TestTheACMEChallengeBypassesAuthentication(t *testing.T) {
	onAddresses(t, func(t *testing.T, ctx context.Context, l *live) {
		label := "ourkubeflow"
		o := expose.Options{TLS: &expose.TLS{From: expose.LetsEncrypt, Email: "us@example.com"}, DNSLabel: &label}
		address, plan := l.secured(t, ctx, o) // the stand-in issues only when the challenge bypasses authentication
		want := "ourkubeflow.westeurope.cloudapp.azure.com"
		request := probe.Request{URL: "https://" + want + "/", Address: address, Roots: plan.CA(ctx, l.client.View())}
		if answer := probe.Until(ctx, request, 20*time.Second); plan.Host != want || answer.What != answers[l.shape] || answer.Certificate.Trusted != probe.TrustedByCA {
			t.Errorf("%s: %+v, certificate %+v", plan.Host, answer, answer.Certificate)
		}
		if l.shape == "1.2" {
			return // no authentication there
		}
		if edited := l.look(t, ctx).Inventory.Edited; len(edited) != 2 {
			t.Errorf("%d objects carry a record of what changed, want the Gateway and the policy", len(edited))
		}
		l.remove(t, ctx)
		if got := l.kubectl(t, "", "get", "authorizationpolicy", "-n=istio-system", "istio-ingressgateway-oauth2-proxy", "-o=jsonpath={.spec.rules[0].to[0].operation.notPaths}"); got != `["/dex/*","/oauth2/*"]` {
			t.Errorf("a removal leaves the exceptions %s", got)
		}
	})
}

func TestSourceRangesDistinguishLoopbackAddresses(t *testing.T) {
	onAddresses(t, func(t *testing.T, ctx context.Context, l *live) {
		ranges := []string{"127.0.0.1/32"}
		url := l.expose(t, ctx, expose.Options{SourceRanges: &ranges})
		if answer := probe.Until(ctx, probe.Request{URL: url}, 20*time.Second); !answer.Healthy() {
			t.Errorf("from 127.0.0.1: %+v", answer)
		}
		other := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
		client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DialContext: other.DialContext, DisableKeepAlives: true}}
		if response, err := client.Get(url); err == nil {
			response.Body.Close()
			t.Errorf("from 127.0.0.2: %s", response.Status)
		}
	})
}

func TestAnExistingAddressIsFoundInItsResourceGroup(t *testing.T) {
	onAddresses(t, func(t *testing.T, ctx context.Context, l *live) {
		nodes, network, group := "127.20.77.9", "127.20.77.200", "network"
		if url := l.expose(t, ctx, expose.Options{IP: &nodes}); url != "http://127.20.77.9/" {
			t.Errorf("%s", url)
		}
		_, plan := l.plan(t, ctx, expose.Options{IP: &network})
		if err := expose.Apply(ctx, l.client, plan.Changes, false); err != nil {
			t.Fatal(err)
		}
		l.waits(t, ctx, "the address that was asked for is not in resource group MC_kubeflow_sandbox_westeurope, where AKS looks for it")
		if url := l.expose(t, ctx, expose.Options{IPGroup: &group}); url != "http://127.20.77.200/" {
			t.Errorf("with its group: %s", url)
		}
	})
}

func TestAzureErrorsAreExplained(t *testing.T) {
	onAddresses(t, func(t *testing.T, ctx context.Context, l *live) {
		for code, why := range map[string]string{
			"AuthorizationFailed":       "the cluster's identity may not make or use the address: Azure answers AuthorizationFailed",
			"LinkedAuthorizationFailed": "the cluster's identity may not make or use the address: Azure answers AuthorizationFailed",
			"PublicIPCountLimitReached": "the subscription has no public address left in this region",
			"RequestDisallowedByPolicy": "a policy of the subscription forbids this kind of address",
			"DnsRecordInUse":            "another public address of this region has the DNS label already",
			"SubnetIsFull":              "the cluster's subnet has no address left",
		} {
			_, plan := l.plan(t, ctx, expose.Options{Annotations: map[string]string{"sandbox/load-balancer-failure": code}})
			if err := expose.Apply(ctx, l.client, plan.Changes, false); err != nil {
				t.Fatal(err)
			}
			l.waits(t, ctx, why)
			l.remove(t, ctx)
		}
	})
}

// waits waits until the events say why there is no address.
func (l *live) waits(t *testing.T, ctx context.Context, why string) {
	t.Helper()
	got := problem.Error{}
	for deadline := time.Now().Add(20 * time.Second); got.What != why && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		got = loadbalancer.WhyPending(ctx, l.client, loadbalancer.ServiceRef("istio-system"))
	}
	if got.What != why || got.Command == "" || strings.Contains(got.Command, "${") {
		t.Errorf("%+v, want %q", got, why)
	}
}

// gateway returns what users can set on the Gateway.
func (l *live) gateway(t *testing.T, ctx context.Context) map[string]any {
	t.Helper()
	o := l.look(t, ctx).IstioGateway
	annotations := o.GetAnnotations()
	delete(annotations, "kubectl.kubernetes.io/last-applied-configuration")
	spec, _, _ := unstructured.NestedMap(o.Object, "spec")
	return map[string]any{"spec": spec, "labels": len(o.GetLabels()), "annotations": len(annotations)}
}

func TestAnExistingCertificateIsServed(t *testing.T) {
	onAddresses(t, func(t *testing.T, ctx context.Context, l *live) {
		name, host := "ours", "kubeflow.example.com"
		if l.shape == "1.2" {
			name = expose.MountedSecret // the one that its gateway reads
		}
		_, selfSigned := l.secured(t, ctx, expose.Options{TLS: &expose.TLS{From: expose.SelfSigned}, Host: &host})
		secrets := l.client.Kube.CoreV1().Secrets("istio-system")
		own, err := secrets.Get(ctx, selfSigned.Secret.Name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		l.remove(t, ctx)
		own.ObjectMeta = metav1.ObjectMeta{Name: name, Namespace: "istio-system"}
		if _, err := secrets.Create(ctx, own, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		defer l.kubectl(t, "", "delete", "secret", "-n=istio-system", name)
		address, plan := l.secured(t, ctx, expose.Options{TLS: &expose.TLS{From: expose.FromSecret, Secret: name}, Host: &host})
		request := probe.Request{URL: "https://" + host + "/", Address: address, Roots: plan.CA(ctx, l.client.View())}
		if answer := probe.Until(ctx, request, 20*time.Second); answer.What != answers[l.shape] || answer.Certificate.Trusted != probe.TrustedByCA {
			t.Errorf("%+v, certificate %+v", answer, answer.Certificate)
		}
		other := "other.example.com"
		if _, plan := l.plan(t, ctx, expose.Options{Host: &other}); !strings.Contains(strings.Join(plan.Notes, " "), "is not for other.example.com") {
			t.Errorf("a certificate for another name is not reported: %q", plan.Notes)
		}
		l.remove(t, ctx)
		l.kubectl(t, "", "get", "secret", "-n=istio-system", name) // not created by expose
	})
}
