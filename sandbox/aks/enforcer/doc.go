// Package enforcer simulates AKS's admissions enforcer: it excludes the
// platform's own namespaces from webhooks by adding a namespaceSelector to every
// webhook configuration, and restores the selector if it is removed. An annotation
// or label disables it for one configuration.
//
// Namespace kubeflow has the label that the selector excludes, which is why
// Istio's injector skips it.
package enforcer
