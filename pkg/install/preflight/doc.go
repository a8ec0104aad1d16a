// Package preflight finds what would stop a plan half-way, before anything is changed: APIs that the server does not have,
// missing permissions, namespaces that are being deleted, and objects that the server rejects in a dry run.
//
// To add such a check, copy missing_apis.go and add the function to the list in prerequisites (preflight.go).
package preflight
