// Package webhook simulates every admission webhook, conversion webhook and
// aggregated API of a release. They allow everything and change nothing, except
// Istio's injector, which adds its proxy to pods as the real one does, and
// Kubeflow's admission webhook, which applies PodDefaults and denies pods whose
// PodDefaults contradict each other, as components/admission-webhook of
// kubeflow/kubeflow does.
//
// To simulate another mutating webhook, add a case to Handler.mutate.
package webhook
