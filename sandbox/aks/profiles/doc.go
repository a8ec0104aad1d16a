// Package profiles simulates Kubeflow's profile controller: for each Profile a namespace with the labels that the Deployment's
// ConfigMap lists, annotation owner, the service accounts default-editor and default-viewer with their RoleBindings, the
// RoleBinding namespaceAdmin of the owner, the AuthorizationPolicy ns-owner-access-istio (a ServiceRole where Istio is older than
// 1.4), the quota kf-resource-quota, and the finalizer profile-finalizer.
//
// It follows components/profile-controller/controllers/profile_controller.go of kubeflow/kubeflow (v1.2) and
// kubeflow/dashboard (since), and runs only while Deployment profiles-deployment is ready. Plugins for the identities of clouds
// are left out.
package profiles
