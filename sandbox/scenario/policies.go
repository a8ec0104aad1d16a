package scenario

import (
	"context"
	"errors"
	"fmt"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

const (
	probe  = "sandbox-scenario-probe" // the policy, and the ConfigMap that it denies
	denial = "the policies are in force"
)

// enforced waits until the API server enforces the scenario's ValidatingAdmissionPolicies, which it reads from watches
// some time after they exist. Watches keep the order of creation: as soon as a policy that was created last denies its
// object, all earlier ones are in force.
func (s Scenario) enforced(ctx context.Context, client kubernetes.Interface) (err error) {
	policies := 0
	for _, object := range s.Objects {
		if object.GetKind() == "ValidatingAdmissionPolicy" {
			policies++
		}
	}
	if policies == 0 {
		return nil
	}
	admission := client.AdmissionregistrationV1()
	policy, binding := probePolicy()
	if _, err := admission.ValidatingAdmissionPolicies().Create(ctx, policy, metav1.CreateOptions{}); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, admission.ValidatingAdmissionPolicies().Delete(ctx, probe, metav1.DeleteOptions{}))
	}()
	if _, err := admission.ValidatingAdmissionPolicyBindings().Create(ctx, binding, metav1.CreateOptions{}); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, admission.ValidatingAdmissionPolicyBindings().Delete(ctx, probe, metav1.DeleteOptions{}))
	}()
	denied := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: probe}}
	return patiently(ctx, func() error {
		_, err := client.CoreV1().ConfigMaps(metav1.NamespaceDefault).Create(ctx, denied, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		switch {
		case apierrors.IsInvalid(err) && strings.Contains(err.Error(), denial):
			return nil
		case err != nil:
			return err
		}
		return fmt.Errorf("the API server does not enforce the scenario's %d admission policies", policies)
	})
}

// probePolicy denies one ConfigMap of one name.
func probePolicy() (*admissionv1.ValidatingAdmissionPolicy, *admissionv1.ValidatingAdmissionPolicyBinding) {
	fail := admissionv1.Fail
	policy := &admissionv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: probe},
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			FailurePolicy: &fail,
			MatchConstraints: &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{{
				ResourceNames: []string{probe},
				RuleWithOperations: admissionv1.RuleWithOperations{
					Operations: []admissionv1.OperationType{admissionv1.Create},
					Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}},
				},
			}}},
			Validations: []admissionv1.Validation{{Expression: "false", Message: denial}},
		},
	}
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: probe},
		Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName:        probe,
			ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
		},
	}
	return policy, binding
}
