package nodes

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Create creates the cluster's nodes. It does not change existing nodes.
func Create(ctx context.Context, client kubernetes.Interface, cluster Cluster) error {
	for _, node := range cluster.Nodes() {
		_, err := client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{FieldManager: "cloud-node-manager"})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("creating node %s: %w", node.Name, err)
		}
	}
	return nil
}
