package signin

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What AKS's workload identity reads.
const (
	useIdentity    = "azure.workload.identity/use"
	clientIdentity = "azure.workload.identity/client-id"
	tenantIdentity = "azure.workload.identity/tenant-id"
)

// workloadIdentity gives a program what AKS's webhook adds to a pod with the label: the token of its ServiceAccount, and for which
// application it is.
func (c *container) workloadIdentity(ctx context.Context) error {
	if c.pod.Labels[useIdentity] != "true" {
		return nil
	}
	account, err := c.client.CoreV1().ServiceAccounts(c.pod.Namespace).Get(ctx, cmp.Or(c.pod.Spec.ServiceAccountName, "default"), metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("azure-wi-webhook: %w", err)
	}
	const file = "azure-identity-token"
	tokens, err := c.token(ctx, &corev1.ServiceAccountTokenProjection{Audience: "api://AzureADTokenExchange", Path: file})
	if err != nil {
		return fmt.Errorf("azure-wi-webhook: %w", err)
	}
	to := filepath.Join(c.dir, file)
	for name, value := range map[string]string{
		"AZURE_CLIENT_ID": account.Annotations[clientIdentity], "AZURE_TENANT_ID": account.Annotations[tenantIdentity],
		"AZURE_FEDERATED_TOKEN_FILE": to, "AZURE_AUTHORITY_HOST": "https://login.microsoftonline.com/",
	} {
		if c.env[name] == "" && value != "" {
			c.env[name] = value
		}
	}
	return c.write(to, tokens[file])
}
