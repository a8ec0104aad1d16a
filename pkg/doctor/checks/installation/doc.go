// Package installation compares the cluster with what was installed: what is missing, and what others have changed. It judges nothing itself:
// doctor.Settings.Inspect gives the judgement of status. Start a new check from drift.go.
package installation
