// Package explain says why an object is not ready: from its pods, its conditions, its volumes and the last events.
//
// To explain another kind of object, add a case to explain.go and a file to testdata.
package explain
