// Package certmanager simulates cert-manager in the namespaces of Istio's
// gateways, whose certificates browsers see: self-signed Issuers, CA Issuers, and
// ACME Issuers, for which the sandbox's own CA signs once the gateway serves the
// HTTP-01 challenge.
//
// It ignores Certificates in other namespaces: the simulated webhooks use the
// sandbox's own certificates.
package certmanager
