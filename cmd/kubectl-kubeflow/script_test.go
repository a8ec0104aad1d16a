package main

import (
	"flag"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the expected outputs")

// TestMain lets scripts run this program under the name that kubectl looks for.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"kubectl-kubeflow": main})
}

// TestScripts runs the program as a user types it, without a cluster: help, usage errors, invalid input. Each file of
// testdata/script is a case.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("KUBECONFIG", env.WorkDir+"/absent")
			env.Setenv("NO_COLOR", "1")
			env.Setenv("LANG", "C.UTF-8")
			env.Setenv("KUBEFLOW_MIRROR", os.Getenv("KUBEFLOW_MIRROR"))
			return nil
		},
	})
}
