// Package manifests finds what an API server would refuse, before it is asked. schemas.json.gz holds the OpenAPI schemas of Kubernetes'
// own kinds, as an API server publishes them; those of other kinds are in the CustomResourceDefinitions among the manifests. What no
// schema says is in rules.go and beside it, one function for each kind of rule.
package manifests
