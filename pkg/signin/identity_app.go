package signin

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/state"
)

// AppRef names the Secret with the client secret of the app registration that this program created for the cluster. It is there from the
// moment in which Entra ID returned the secret, which it does once, so that a run which was interrupted does not need another.
var AppRef = cluster.Ref{APIVersion: "v1", Kind: kube.SecretKind.Kind, Namespace: state.Namespace, Name: "kubectl-kubeflow-app-registration"}

const appKey = "registration"

// ReadApp returns what the Secret holds, and the Secret; nil if there is none. The errors are those of [state.Check].
func ReadApp(ctx context.Context, view cluster.View) ([]byte, *unstructured.Unstructured, error) {
	return readSecret(ctx, view, AppRef, appKey)
}

// StoreApp writes the Secret in the place of the one that was read, nil if there was none; without content it deletes that.
func StoreApp(ctx context.Context, client *cluster.Client, secret *unstructured.Unstructured, content []byte) (*unstructured.Unstructured, error) {
	if content == nil {
		return nil, deleteSecret(ctx, client, secret)
	}
	return storeSecret(ctx, client, secret, recordSecret(AppRef, appKey, content))
}
