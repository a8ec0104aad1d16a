package aks

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// policyEngine creates the DaemonSet of Azure's network policy engine, so that
// clients can detect that NetworkPolicies are enforced.
func (a *AKS) policyEngine(ctx context.Context) error {
	labels := map[string]string{"k8s-app": "azure-npm"}
	set := &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Name: "azure-npm", Namespace: "kube-system", Labels: labels},
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					HostNetwork: true,
					Tolerations: []corev1.Toleration{{Operator: corev1.TolerationOpExists}},
					Containers:  []corev1.Container{{Name: "azure-npm", Image: "mcr.microsoft.com/containernetworking/azure-npm:v1.6.29"}},
				},
			},
		},
	}
	_, err := a.client.AppsV1().DaemonSets(set.Namespace).Create(ctx, set, metav1.CreateOptions{FieldManager: "addon-manager"})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("creating the network policy engine: %w", err)
	}
	return nil
}
