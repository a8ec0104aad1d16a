// Package preflight finds what would stop a plan half-way, before anything is changed: APIs that the server does not have,
// missing permissions, namespaces that are being deleted, and objects that the server rejects in a dry run.
//
// To add a check of that kind, copy apis.go and add it to the list in preflight.go.
package preflight
