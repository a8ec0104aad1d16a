package profiles

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/control"
)

var (
	serviceAccounts       = schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}
	quotas                = schema.GroupVersionResource{Version: "v1", Resource: "resourcequotas"}
	roleBindings          = schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "rolebindings"}
	authorizationPolicies = schema.GroupVersionResource{Group: "security.istio.io", Version: "v1beta1", Resource: "authorizationpolicies"}
	serviceRoles          = schema.GroupVersionResource{Group: "rbac.istio.io", Version: "v1alpha1", Resource: "serviceroles"}
	serviceRoleBindings   = schema.GroupVersionResource{Group: "rbac.istio.io", Version: "v1alpha1", Resource: "servicerolebindings"}
)

const quotaName = "kf-resource-quota"

// contents creates what a Profile's namespace holds.
func (c controller) contents(ctx context.Context, profile *unstructured.Unstructured) error {
	if err := c.meshAccess(ctx, profile); err != nil {
		return err
	}
	user, subject := owner(profile)
	roles := map[string]string{"default-editor": "kubeflow-edit", "default-viewer": "kubeflow-view"}
	for account, role := range roles {
		if err := c.ensure(ctx, profile, serviceAccounts, "v1", "ServiceAccount", account, nil, nil); err != nil {
			return err
		}
		who := map[string]any{"kind": "ServiceAccount", "name": account, "namespace": profile.GetName()}
		if err := c.bind(ctx, profile, account, role, who, nil); err != nil {
			return err
		}
	}
	if err := c.bind(ctx, profile, "namespaceAdmin", "kubeflow-admin", subject, map[string]string{"user": user, "role": "admin"}); err != nil {
		return err
	}
	return c.quota(ctx, profile)
}

func (c controller) bind(ctx context.Context, profile *unstructured.Unstructured, name, role string, subject map[string]any, annotations map[string]string) error {
	return c.ensure(ctx, profile, roleBindings, "rbac.authorization.k8s.io/v1", "RoleBinding", name, annotations, map[string]any{
		"roleRef":  map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
		"subjects": []any{subject},
	})
}

func (c controller) quota(ctx context.Context, profile *unstructured.Unstructured) error {
	spec, _, _ := unstructured.NestedMap(profile.Object, "spec", "resourceQuotaSpec")
	if hard, _ := spec["hard"].(map[string]any); len(hard) > 0 {
		return c.ensure(ctx, profile, quotas, "v1", "ResourceQuota", quotaName, nil, map[string]any{"spec": spec})
	}
	err := c.client.Resource(quotas).Namespace(profile.GetName()).Delete(ctx, quotaName, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// meshAccess admits the owner, by the header that the gateway sets, and the namespace itself.
func (c controller) meshAccess(ctx context.Context, profile *unstructured.Unstructured) error {
	user, _ := owner(profile)
	marks := map[string]string{"user": user, "role": "admin"}
	header := "request.headers[" + c.program.EnvOr("USERID_HEADER", "kubeflow-userid") + "]"
	user = c.program.EnvOr("USERID_PREFIX", "") + user
	err := c.ensure(ctx, profile, authorizationPolicies, "security.istio.io/v1beta1", "AuthorizationPolicy", "ns-owner-access-istio", marks,
		map[string]any{"spec": c.policy(profile.GetName(), header, user)})
	if !apierrors.IsNotFound(err) {
		return err
	}
	// Istio before 1.4.
	err = c.ensure(ctx, profile, serviceRoles, "rbac.istio.io/v1alpha1", "ServiceRole", "ns-access-istio", marks,
		map[string]any{"spec": map[string]any{"rules": []any{map[string]any{"services": []any{"*"}}}}})
	if err == nil {
		err = c.ensure(ctx, profile, serviceRoleBindings, "rbac.istio.io/v1alpha1", "ServiceRoleBinding", "owner-binding-istio", marks,
			map[string]any{"spec": map[string]any{
				"subjects": []any{map[string]any{"properties": map[string]any{header: user}}},
				"roleRef":  map[string]any{"kind": "ServiceRole", "name": "ns-access-istio"},
			}})
	}
	if apierrors.IsNotFound(err) {
		return nil // no Istio
	}
	return err
}

func (c controller) policy(namespace, header, user string) map[string]any {
	from := func(principals ...any) []any {
		return []any{map[string]any{"source": map[string]any{"principals": principals}}}
	}
	when := func(key string, value any) []any {
		return []any{map[string]any{"key": key, "values": []any{value}}}
	}
	to := func(operation map[string]any) []any { return []any{map[string]any{"operation": operation}} }
	ownerRule := map[string]any{"when": when(header, user)}
	if gateway, ok := c.program.Env("ISTIO_INGRESS_GATEWAY_PRINCIPAL"); ok { // since Kubeflow 1.8
		ownerRule["from"] = from(gateway, c.program.EnvOr("KFP_UI_PRINCIPAL", "cluster.local/ns/kubeflow/sa/ml-pipeline-ui"))
	}
	notebooks := c.program.EnvOr("NOTEBOOK_CONTROLLER_PRINCIPAL", "cluster.local/ns/kubeflow/sa/notebook-controller-service-account")
	return map[string]any{"action": "ALLOW", "rules": []any{
		ownerRule,
		map[string]any{"when": when("source.namespace", namespace)},
		map[string]any{"to": to(map[string]any{"paths": []any{"/healthz", "/metrics", "/wait-for-drain"}})},
		map[string]any{"from": from(notebooks), "to": to(map[string]any{"methods": []any{"GET"}, "paths": []any{"*/api/kernels"}})},
	}}
}

func (c controller) ensure(ctx context.Context, profile *unstructured.Unstructured, kind schema.GroupVersionResource, apiVersion, name string, object string, annotations map[string]string, fields map[string]any) error {
	o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": apiVersion, "kind": name}}
	for key, value := range fields {
		o.Object[key] = value
	}
	o.SetNamespace(profile.GetName())
	o.SetName(object)
	if len(annotations) > 0 {
		o.SetAnnotations(annotations)
	}
	control.OwnedBy(o, profile)
	return control.Ensure(ctx, c.client, kind, o)
}
