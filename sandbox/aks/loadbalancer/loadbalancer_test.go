package loadbalancer

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/record"
)

const port = 18080

func gatewayPod() *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: "gateway", Labels: map[string]string{"istio": "ingressgateway"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}}}}},
	}
}

func balanced(change func(*corev1.Service)) *corev1.Service {
	s := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: "kubeflowdashboard-lb", Annotations: map[string]string{}},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeLoadBalancer, Selector: map[string]string{"istio": "ingressgateway"},
			Ports: []corev1.ServicePort{{Port: port, TargetPort: intstr.FromInt32(8080)}},
		},
	}
	if change != nil {
		change(s)
	}
	return s
}

type balancerTest struct {
	client *fake.Clientset
	events *record.FakeRecorder
}

// start runs a balancer in front of the given pods, until the test ends.
func start(t *testing.T, pods []*corev1.Pod, change func(*Options), services ...*corev1.Service) balancerTest {
	t.Helper()
	b := balancerTest{client: fake.NewClientset(), events: record.NewFakeRecorder(100)}
	for _, s := range services {
		if err := b.client.Tracker().Add(s); err != nil {
			t.Fatal(err)
		}
	}
	factory := informers.NewSharedInformerFactory(b.client, 0)
	o := Options{
		Client: b.client, Events: b.events, Services: factory.Core().V1().Services().Lister(), Sandbox: t.Name(),
		ReadyPods: func(_ string, selector map[string]string) []*corev1.Pod {
			return slices.DeleteFunc(slices.Clone(pods), func(p *corev1.Pod) bool {
				return !labels.SelectorFromSet(selector).Matches(labels.Set(p.Labels))
			})
		},
		Listens: func(_ *corev1.Pod, port int32) bool { return port == 8080 },
		Answer: func(conn net.Conn, pod *corev1.Pod, _ int32) {
			io.WriteString(conn, "hello from "+pod.Name)
			conn.Close()
		},
	}
	if change != nil {
		change(&o)
	}
	loop, err := New(factory, o)
	if err != nil {
		t.Fatal(err)
	}
	factory.Start(t.Context().Done())
	factory.WaitForCacheSync(t.Context().Done())
	go loop.Run(t.Context(), io.Discard)
	return b
}

// address waits until a Service has its address.
func (b balancerTest) address(t *testing.T, name string) netip.Addr {
	t.Helper()
	var address netip.Addr
	await(t, func() bool {
		s, err := b.client.CoreV1().Services("istio-system").Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Status.LoadBalancer.Ingress) == 0 {
			return false
		}
		address = netip.MustParseAddr(s.Status.LoadBalancer.Ingress[0].IP)
		return true
	})
	return address
}

func await(t *testing.T, met func() bool) {
	t.Helper()
	for range 2000 {
		if met() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("did not happen")
}

// call connects to an address from another, and reads what it says.
func call(to netip.Addr, from string, patience time.Duration) (string, error) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := dialer.Dial("tcp", netip.AddrPortFrom(to, port).String())
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.SetReadDeadline(time.Now().Add(patience))
	text, err := io.ReadAll(conn)
	return string(text), err
}

func TestAServiceGetsAnAddressThatAnswersUntilTheServiceGoes(t *testing.T) {
	b := start(t, []*corev1.Pod{gatewayPod()}, nil, balanced(nil))
	address := b.address(t, "kubeflowdashboard-lb")
	if a := address.As4(); a[0] != 127 || a[1] != 20 {
		t.Errorf("public address %s", address)
	}
	if text, err := call(address, "127.0.0.1", 20*time.Second); text != "hello from gateway" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	services := b.client.CoreV1().Services("istio-system")
	s, err := services.Get(t.Context(), "kubeflowdashboard-lb", metav1.GetOptions{})
	if err != nil || !slices.Contains(s.Finalizers, cleanup) {
		t.Fatalf("finalizers %v, %v", s.Finalizers, err)
	}
	now := metav1.Now()
	s.DeletionTimestamp = &now
	if _, err := services.Update(t.Context(), s, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool {
		s, err := services.Get(t.Context(), "kubeflowdashboard-lb", metav1.GetOptions{})
		return apierrors.IsNotFound(err) || err == nil && len(s.Finalizers) == 0
	})
	if _, err := call(address, "127.0.0.1", time.Second); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after the Service went: %v", err)
	}
}

func TestEachServiceHasAnAddressOfItsOwn(t *testing.T) {
	b := start(t, []*corev1.Pod{gatewayPod()}, nil,
		balanced(nil),
		balanced(func(s *corev1.Service) { s.Name = "second" }),
		balanced(func(s *corev1.Service) { s.Name, s.Annotations[internalAnnotation] = "inside", "true" }))
	first, second, inside := b.address(t, "kubeflowdashboard-lb"), b.address(t, "second"), b.address(t, "inside")
	if first == second || inside.As4()[1] != 10 {
		t.Errorf("%s, %s, inside %s", first, second, inside)
	}
}

func TestNothingListensWhereNoPodWould(t *testing.T) {
	b := start(t, []*corev1.Pod{gatewayPod()}, nil,
		balanced(func(s *corev1.Service) { s.Name, s.Spec.Ports[0].TargetPort = "wrong-port", intstr.FromInt32(80) }),
		balanced(func(s *corev1.Service) { s.Name, s.Spec.Selector = "no-pods", map[string]string{"app": "x"} }))
	for _, name := range []string{"wrong-port", "no-pods"} {
		if _, err := call(b.address(t, name), "127.0.0.1", time.Second); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSourcesOutsideTheRangesHearNothing(t *testing.T) {
	b := start(t, []*corev1.Pod{gatewayPod()}, nil, balanced(func(s *corev1.Service) {
		s.Spec.LoadBalancerSourceRanges = []string{"127.0.0.2/32"}
	}))
	address := b.address(t, "kubeflowdashboard-lb")
	if text, err := call(address, "127.0.0.2", 20*time.Second); text == "" || err != nil {
		t.Errorf("from inside: %q, %v", text, err)
	}
	if text, err := call(address, "127.0.0.1", 200*time.Millisecond); text != "" || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("from outside: %q, %v", text, err)
	}
}

func TestAPortThatCannotBeBoundIsSaidSoAndTheOthersWork(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.77:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	f := newFront(netip.MustParseAddr("127.0.0.77"), func(_ corev1.ServicePort, conn net.Conn) { conn.Close() })
	defer f.close()
	number := int32(taken.Addr().(*net.TCPAddr).Port)
	err = f.listen([]corev1.ServicePort{{Port: number}, {Port: port}})
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("port %d: ", number)) {
		t.Errorf("error %v", err)
	}
	if _, err := call(f.address, "127.0.0.1", 20*time.Second); err != nil {
		t.Errorf("the other port: %v", err)
	}
}

func TestAServiceThatIsNoLongerALoadBalancerLosesItsAddress(t *testing.T) {
	b := start(t, []*corev1.Pod{gatewayPod()}, nil, balanced(nil))
	address := b.address(t, "kubeflowdashboard-lb")
	services := b.client.CoreV1().Services("istio-system")
	s, err := services.Get(t.Context(), "kubeflowdashboard-lb", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s.Spec.Type = corev1.ServiceTypeClusterIP
	if _, err := services.Update(t.Context(), s, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool {
		s, err := services.Get(t.Context(), "kubeflowdashboard-lb", metav1.GetOptions{})
		return err == nil && len(s.Finalizers) == 0 && len(s.Status.LoadBalancer.Ingress) == 0
	})
	if _, err := call(address, "127.0.0.1", time.Second); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the address still answers: %v", err)
	}
}

func TestAFailingLoadBalancerSaysWhyAndGivesNoAddress(t *testing.T) {
	b := start(t, nil, func(o *Options) { o.Failure = "PublicIPCountLimitReached" }, balanced(nil))
	for event := range b.events.Events {
		if strings.Contains(event, "SyncLoadBalancerFailed") {
			if !strings.Contains(event, `"code":"PublicIPCountLimitReached"`) {
				t.Error(event)
			}
			break
		}
	}
	s, err := b.client.CoreV1().Services("istio-system").Get(t.Context(), "kubeflowdashboard-lb", metav1.GetOptions{})
	if err != nil || len(s.Status.LoadBalancer.Ingress) != 0 {
		t.Errorf("%v, %v", s.Status.LoadBalancer, err)
	}
}

func TestWhatHappensToAConnection(t *testing.T) {
	source := netip.MustParseAddr("127.0.0.1")
	onlyPods := &networking.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system"},
		Spec:       networking.NetworkPolicySpec{Ingress: []networking.NetworkPolicyIngressRule{{From: []networking.NetworkPolicyPeer{{PodSelector: &metav1.LabelSelector{}}}}}},
	}
	for _, c := range []struct {
		name     string
		service  *corev1.Service
		pods     []*corev1.Pod
		policies []*networking.NetworkPolicy
		want     Verdict
	}{
		{"an open gateway", balanced(nil), []*corev1.Pod{gatewayPod()}, nil, Admitted},
		{"a target port by name", balanced(func(s *corev1.Service) { s.Spec.Ports[0].TargetPort = intstr.FromString("http") }), []*corev1.Pod{gatewayPod()}, nil, Admitted},
		{"the guide's Service on 1.3 and later", balanced(func(s *corev1.Service) { s.Spec.Ports[0] = corev1.ServicePort{Port: 80} }), []*corev1.Pod{gatewayPod()}, nil, Refused},
		{"a gateway that is not ready", balanced(nil), nil, nil, Refused},
		{"26.03's policies, enforced", balanced(nil), []*corev1.Pod{gatewayPod()}, []*networking.NetworkPolicy{onlyPods}, Dropped},
		{"ranges without the source", balanced(func(s *corev1.Service) {
			s.Annotations["service.beta.kubernetes.io/azure-allowed-ip-ranges"] = "10.0.0.0/8, 192.0.2.0/24"
		}), []*corev1.Pod{gatewayPod()}, nil, Dropped},
	} {
		s := state{service: c.service, pods: c.pods, policies: c.policies, listens: func(_ *corev1.Pod, port int32) bool { return port == 8080 }}
		if got, _, _ := s.admit(c.service.Spec.Ports[0], source); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}
