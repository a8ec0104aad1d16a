// Package certmanager plays cert-manager for the namespaces of Istio's gateways,
// whose certificates visitors see: Issuers that sign with a key of their own or
// with an authority's, and those that ask for ACME, for which the sandbox's own
// authority stands in once the gateway lets the authority's question in.
//
// Certificates of other namespaces are left alone: what plays the webhooks shows
// the sandbox's own.
package certmanager
