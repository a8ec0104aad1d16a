package scenario

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Settle waits until every Deployment of the scenario has a pod, and every pod is
// ready or has failed, and the API server enforces its admission policies, so that the cluster is in the state that was promised.
func (s Scenario) Settle(ctx context.Context, client kubernetes.Interface) error {
	if err := s.enforced(ctx, client); err != nil {
		return err
	}
	return patiently(ctx, func() error {
		for _, object := range s.Objects {
			if object.GetKind() != "Deployment" {
				continue
			}
			deployment, err := client.AppsV1().Deployments(object.GetNamespace()).Get(ctx, object.GetName(), metav1.GetOptions{})
			if err != nil {
				return err
			}
			pods, err := client.CoreV1().Pods(object.GetNamespace()).List(ctx, metav1.ListOptions{
				LabelSelector: metav1.FormatLabelSelector(deployment.Spec.Selector),
			})
			if err != nil {
				return err
			}
			if len(pods.Items) == 0 {
				return fmt.Errorf("deployment %s has no pod", object.GetName())
			}
			for i := range pods.Items {
				if !decided(&pods.Items[i]) {
					return fmt.Errorf("pod %s is not ready", pods.Items[i].Name)
				}
			}
		}
		return nil
	})
}

// decided reports whether a pod is ready or has failed once.
func decided(pod *corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
			return true
		}
	}
	for _, status := range pod.Status.ContainerStatuses {
		waiting := status.State.Waiting
		if status.LastTerminationState.Terminated != nil || waiting != nil && waiting.Reason == "ImagePullBackOff" {
			return true
		}
	}
	return false
}
