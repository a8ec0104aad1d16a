// Package checks lists what doctor checks. Each check is a [doctor.Check], a value, in the file that its ID names:
// pipelines/executor is pipelines/executor.go, its cases are in pipelines/testdata/executor.
//
// To add one, copy platform/kubernetes_version.go, add a line to all.go, and write at least one passing and one failing
// case; the tests over the list say what is missing.
package checks
