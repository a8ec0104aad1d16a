package enforcer

import (
	"context"
	"fmt"
	"strings"
	"time"

	admission "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/admissionregistration/v1"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/control"
)

const (
	fieldManager = "admissionsenforcer"
	disabled     = "admissions.enforcer/disabled"
	platformKey  = "control-plane"
)

type enforcer struct {
	client     kubernetes.Interface
	mutating   listers.MutatingWebhookConfigurationLister
	validating listers.ValidatingWebhookConfigurationLister
}

// Loop creates the loop that adds the selector to all webhook configurations.
func Loop(client kubernetes.Interface, factory informers.SharedInformerFactory) (*control.Loop, error) {
	kinds := factory.Admissionregistration().V1()
	e := &enforcer{
		client:     client,
		mutating:   kinds.MutatingWebhookConfigurations().Lister(),
		validating: kinds.ValidatingWebhookConfigurations().Lister(),
	}
	loop := control.New(fieldManager, 1, e.reconcile)
	key := func(kind string) func(any) []string {
		return func(object any) []string { return []string{kind + "/" + control.Key(object)[0]} }
	}
	if err := loop.On(kinds.MutatingWebhookConfigurations().Informer(), key("mutating")); err != nil {
		return nil, err
	}
	return loop, loop.On(kinds.ValidatingWebhookConfigurations().Informer(), key("validating"))
}

func (e *enforcer) reconcile(ctx context.Context, key string) (time.Duration, error) {
	kind, name, _ := strings.Cut(key, "/")
	write := metav1.UpdateOptions{FieldManager: fieldManager}
	var err error
	if kind == "mutating" {
		var seen *admission.MutatingWebhookConfiguration
		if seen, err = e.mutating.Get(name); err == nil && enforce(seen.ObjectMeta, selectorsOfMutating(seen)) > 0 {
			changed := seen.DeepCopy()
			guard(selectorsOfMutating(changed))
			_, err = e.client.AdmissionregistrationV1().MutatingWebhookConfigurations().Update(ctx, changed, write)
		}
	} else {
		var seen *admission.ValidatingWebhookConfiguration
		if seen, err = e.validating.Get(name); err == nil && enforce(seen.ObjectMeta, selectorsOfValidating(seen)) > 0 {
			changed := seen.DeepCopy()
			guard(selectorsOfValidating(changed))
			_, err = e.client.AdmissionregistrationV1().ValidatingWebhookConfigurations().Update(ctx, changed, write)
		}
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return 0, fmt.Errorf("guarding %s: %w", key, err)
	}
	return 0, nil
}
