// Package kfdef reads KfDefs, the input of kfctl, and merges the kustomization layers that kfctl merged for an application. The
// main type is [KfDef]. pkg/release fetches the repositories and renders what [Merge] returns.
package kfdef
