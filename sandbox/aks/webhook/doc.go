// Package webhook simulates every admission webhook, conversion webhook and
// aggregated API of a release. They allow everything and change nothing, except
// Istio's injector, which adds its proxy to pods as the real one does.
//
// To simulate another mutating webhook, add a case to Handler.mutate.
package webhook
