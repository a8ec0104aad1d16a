package signin

import (
	"context"
	"fmt"
	"maps"
	"slices"

	authv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/process"
)

// readEnv reads the container's environment from its values, Secrets and ConfigMaps.
func (c *container) readEnv(ctx context.Context) error {
	for _, from := range c.spec.EnvFrom {
		var data map[string][]byte
		var err error
		switch {
		case from.SecretRef != nil:
			data, err = c.secret(ctx, from.SecretRef.Name, nil, from.SecretRef.Optional)
		case from.ConfigMapRef != nil:
			data, err = c.configMap(ctx, from.ConfigMapRef.Name, nil, from.ConfigMapRef.Optional)
		}
		if err != nil {
			return fmt.Errorf("%w: %w", process.ErrWaiting, err)
		}
		for key, value := range data {
			c.env[from.Prefix+key] = string(value)
		}
	}
	for _, v := range c.spec.Env {
		value, ok, err := c.value(ctx, v)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", process.ErrWaiting, v.Name, err)
		}
		if ok {
			c.env[v.Name] = value
		}
	}
	return nil
}

// value returns a variable's value, and whether it has one.
func (c *container) value(ctx context.Context, v corev1.EnvVar) (string, bool, error) {
	var data map[string][]byte
	var err error
	key, optional := "", (*bool)(nil)
	switch from := v.ValueFrom; {
	case from == nil:
		return reference.ReplaceAllStringFunc(v.Value, func(found string) string {
			if value, ok := c.env[found[2:len(found)-1]]; ok {
				return value
			}
			return found
		}), true, nil
	case from.SecretKeyRef != nil:
		key, optional = from.SecretKeyRef.Key, from.SecretKeyRef.Optional
		data, err = c.secret(ctx, from.SecretKeyRef.Name, nil, optional)
	case from.ConfigMapKeyRef != nil:
		key, optional = from.ConfigMapKeyRef.Key, from.ConfigMapKeyRef.Optional
		data, err = c.configMap(ctx, from.ConfigMapKeyRef.Name, nil, optional)
	case from.FieldRef != nil:
		value, ok := map[string]string{
			"metadata.name": c.pod.Name, "metadata.namespace": c.pod.Namespace, "spec.serviceAccountName": c.pod.Spec.ServiceAccountName,
			"status.podIP": c.pod.Status.PodIP, "spec.nodeName": c.pod.Spec.NodeName,
		}[from.FieldRef.FieldPath]
		return value, ok, nil
	default:
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	value, ok := data[key]
	if !ok && (optional == nil || !*optional) {
		return "", false, fmt.Errorf("couldn't find key %s", key)
	}
	return string(value), ok, nil
}

// token requests a token of the pod's ServiceAccount.
func (c *container) token(ctx context.Context, from *corev1.ServiceAccountTokenProjection) (map[string][]byte, error) {
	request := &authv1.TokenRequest{Spec: authv1.TokenRequestSpec{ExpirationSeconds: from.ExpirationSeconds}}
	if from.Audience != "" {
		request.Spec.Audiences = []string{from.Audience}
	}
	account := c.pod.Spec.ServiceAccountName
	if account == "" {
		account = "default"
	}
	answer, err := c.client.CoreV1().ServiceAccounts(c.pod.Namespace).CreateToken(ctx, account, request, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	return map[string][]byte{from.Path: []byte(answer.Status.Token)}, nil
}

// environ returns the environment as os/exec takes it, with these variables.
func (c *container) environ(more ...string) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(c.env)) {
		all = append(all, name+"="+c.paths.Replace(c.env[name]))
	}
	return append(all, more...)
}
