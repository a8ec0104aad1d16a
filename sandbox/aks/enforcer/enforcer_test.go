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
	watching, err := client.AdmissionregistrationV1().MutatingWebhookConfigurations().Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	validating, err := client.AdmissionregistrationV1().ValidatingWebhookConfigurations().Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	start(t, client)
	next := func() *admission.MutatingWebhookConfiguration {
		select {
		case e := <-watching.ResultChan():
			return e.Object.(*admission.MutatingWebhookConfiguration)
		case <-time.After(20 * time.Second):
			t.Fatal("nothing changed")
			return nil
		}
	}
	for _, webhook := range next().Webhooks {
		if !guarded(webhook.NamespaceSelector) {
			t.Errorf("%s: %v", webhook.Name, webhook.NamespaceSelector)
		}
	}
	if e := <-validating.ResultChan(); !guarded(e.Object.(*admission.ValidatingWebhookConfiguration).Webhooks[0].NamespaceSelector) {
		t.Error("the validating webhook is open")
	}

	// It fights back.
	if _, err := client.AdmissionregistrationV1().MutatingWebhookConfigurations().Update(t.Context(), injector(nil, nil), metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if c := next(); guarded(c.Webhooks[0].NamespaceSelector) {
		t.Fatal("this should be the test's own update")
	}
	if c := next(); !guarded(c.Webhooks[0].NamespaceSelector) || c.Webhooks[0].NamespaceSelector.MatchLabels["istio-injection"] != "enabled" {
		t.Errorf("after the update: %v", c.Webhooks[0].NamespaceSelector)
	}
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
