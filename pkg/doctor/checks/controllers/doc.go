// Package controllers reads what Kubeflow's controllers say of their objects. One table (kinds.go) says which conditions of which kinds are
// failures; to read one more kind, add a line there.
package controllers
