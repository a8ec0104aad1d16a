// Package enforcer plays AKS's admissions enforcer: it keeps webhooks away from
// the platform's own namespaces by adding a selector to every webhook
// configuration, and adds it again when someone takes it out. An annotation or
// label turns it off for one configuration.
//
// Namespace kubeflow carries the label that the selector excludes, which is how
// Istio's injector came to skip it.
package enforcer
