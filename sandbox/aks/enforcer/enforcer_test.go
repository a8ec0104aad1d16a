package enforcer

import (
	"io"
	"testing"
	"time"

	admission "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
)

func injector(labels, annotations map[string]string) *admission.MutatingWebhookConfiguration {
	return &admission.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "istio-sidecar-injector", Labels: labels, Annotations: annotations},
		Webhooks: []admission.MutatingWebhook{{
			Name:              "sidecar-injector.istio.io",
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"istio-injection": "enabled"}},
		}, {Name: "no-selector.istio.io"}},
	}
}

func TestEveryWebhookIsKeptAwayFromThePlatformsNamespaces(t *testing.T) {
	client := fake.NewClientset(injector(nil, nil), &admission.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "v"}, Webhooks: []admission.ValidatingWebhook{{Name: "a.b.c"}},
	})
	start(t, client)
	kinds := client.AdmissionregistrationV1()
	all := func() bool {
		m, err := kinds.MutatingWebhookConfigurations().Get(t.Context(), "istio-sidecar-injector", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		v, err := kinds.ValidatingWebhookConfigurations().Get(t.Context(), "v", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		kept := m.Webhooks[0].NamespaceSelector.MatchLabels["istio-injection"] == "enabled"
		return kept && guarded(m.Webhooks[0].NamespaceSelector) && guarded(m.Webhooks[1].NamespaceSelector) && guarded(v.Webhooks[0].NamespaceSelector)
	}
	await(t, all)
	// It fights back.
	if _, err := kinds.MutatingWebhookConfigurations().Update(t.Context(), injector(nil, nil), metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	await(t, all)
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

func start(t *testing.T, client *fake.Clientset) {
	t.Helper()
	factory := informers.NewSharedInformerFactory(client, 0)
	loop, err := Loop(client, factory)
	if err != nil {
		t.Fatal(err)
	}
	factory.Start(t.Context().Done())
	factory.WaitForCacheSync(t.Context().Done())
	go loop.Run(t.Context(), io.Discard)
}

func TestAnAnnotationOrALabelTurnsItOff(t *testing.T) {
	off := map[string]string{disabled: "true"}
	for name, c := range map[string]*admission.MutatingWebhookConfiguration{
		"annotation": injector(nil, off),
		"label":      injector(off, nil),
	} {
		if n := enforce(c.ObjectMeta, selectorsOfMutating(c)); n != 0 {
			t.Errorf("%s: %d selectors want guarding", name, n)
		}
	}
	c := injector(nil, map[string]string{disabled: "false"})
	if n := enforce(c.ObjectMeta, selectorsOfMutating(c)); n != 2 {
		t.Errorf("%d selectors want guarding, want 2", n)
	}
}
