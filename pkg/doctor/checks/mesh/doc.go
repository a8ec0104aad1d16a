// Package mesh checks Istio: that pods which need a sidecar have one, and that mutual TLS settings match.
package mesh
