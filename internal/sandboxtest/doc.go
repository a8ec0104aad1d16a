// Package sandboxtest gives a test package a real Kubernetes API server.
//
// A sandbox takes about five seconds to start, so a package starts one for all
// of its tests:
//
//	func TestMain(m *testing.M) { sandboxtest.Main(m, &kubeconfig, "--kubernetes=1.35") }
//
// The sandbox is a program of its own, built from the sandbox folder; the
// environment variable KUBEFLOW_SANDBOX may name a built one instead. It ends
// when the test's process does, however that ends. Where no sandbox can be
// started the tests fail; only those of load balancers' addresses are skipped where
// this user may not listen on their ports.
package sandboxtest
