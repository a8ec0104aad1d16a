//go:build !unix

package sandboxtest

import (
	"fmt"
	"os"
)

// Start ends the test binary with a failure: the sandbox's processes are Unix's.
func Start(...string) (kubeconfig string, stop func()) {
	fmt.Fprintln(os.Stderr, "sandboxtest: there is no sandbox on this system; run the tests that need none with -short")
	os.Exit(1)
	return "", nil
}

// Kubectl would be where a sandbox's kubectl is.
func Kubectl(string) string { return "kubectl" }
