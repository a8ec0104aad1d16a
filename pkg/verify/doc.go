// Package verify proves that Kubeflow works by using it: each [Test] does what a person would do, in a namespace of its own, and
// removes what it created. [Run] runs tests side by side and returns a [Report]; [CleanUp] removes what a killed run left.
//
// A test is one file that is named for it. To add one, copy storage.go, list it in [Tests], and create objects through
// [T.Create], which labels them and has them removed. What is wrong is a [*Failure], which says what happened on which object, with
// its last log lines and what to do next.
package verify
