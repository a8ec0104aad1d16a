// Package checks is the list of what doctor looks at: one file per check, named by its ID.
//
// A check is a [doctor.Check], a value. To add one, copy pipelines_executor.go, add its line to all.go and its
// cases (at least one well, one ill) to testdata/<area>-<name>/; the tests over the list say what is missing.
package checks
