// Package certificates checks cert-manager, the CA bundles of webhooks, and when certificates expire.
package certificates
