package auth

import (
	"context"
	"encoding/base64"
	"errors"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/exposure"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

// The parts of authentication: dex is the identity provider, and oauth2-proxy (authservice up to 1.8) its client.
var (
	dexRef       = dashboard.DexRef
	dexConfigRef = cluster.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: "auth", Name: "dex"}
	dexClientRef = cluster.Ref{APIVersion: "v1", Kind: "Secret", Namespace: "auth", Name: "dex-oidc-client"}
	passwordsRef = cluster.Ref{APIVersion: "v1", Kind: "Secret", Namespace: "auth", Name: "dex-passwords"}
	proxyRef     = dashboard.ProxyRef
	oldClientRef = cluster.Ref{APIVersion: "v1", Kind: "Secret", Namespace: dashboard.KubeflowNamespace, Name: "oidc-authservice-client"}
	storeKeyRef  = cluster.Ref{APIVersion: "v1", Kind: "Secret", Namespace: workloads.Namespace, Name: "mlpipeline-minio-artifact"}
)

// secretValue returns the plain value of a Secret's key.
func secretValue(secret *unstructured.Unstructured, key string) string {
	if secret == nil {
		return ""
	}
	plain, err := base64.StdEncoding.DecodeString(kube.Text(secret.Object, "data", key))
	if err != nil {
		return ""
	}
	return string(plain)
}

// setSecretValue sets the value of a key of a Secret.
func setSecretValue(secret *unstructured.Unstructured, key, value string) {
	_ = unstructured.SetNestedField(secret.Object, base64.StdEncoding.EncodeToString([]byte(value)), "data", key)
}

// proxySecret returns the Secret with the client and the cookie key of oauth2-proxy: its name ends in a hash.
func proxySecret(ctx context.Context, e doctor.Exam) (*unstructured.Unstructured, error) {
	proxy, err := workloads.Find(ctx, e, proxyRef)
	if proxy == nil || err != nil {
		return nil, err
	}
	for _, variable := range kube.Items(kube.TemplateContainer(proxy, "oauth2-proxy"), "env") {
		if name := kube.Text(variable, "valueFrom", "secretKeyRef", "name"); name != "" {
			return workloads.Find(ctx, e, cluster.Ref{APIVersion: "v1", Kind: "Secret", Namespace: proxyRef.Namespace, Name: name})
		}
	}
	return nil, nil
}

// How far the dashboard can be reached.
const (
	hidden  = ""        // only through a port-forward
	limited = "limited" // inside the virtual network, or from some source ranges
	public  = "public"
)

// reach returns how far the dashboard can be reached.
func reach(ctx context.Context, e doctor.Exam) (string, error) {
	_, endpoints, err := exposure.Outside(ctx, e)
	var skipped *doctor.Skipped
	if errors.As(err, &skipped) {
		return hidden, nil
	}
	far := hidden
	for _, p := range endpoints {
		switch {
		case !p.Live():
		case p.Reach == dashboard.Public:
			far = public
		case far == hidden:
			far = limited
		}
	}
	return far, err
}

// severityFor returns the severity of a default secret: the further the dashboard can be reached, the higher.
func severityFor(far string) doctor.Severity {
	return map[string]doctor.Severity{hidden: doctor.Info, limited: doctor.Warning, public: doctor.Error}[far]
}
