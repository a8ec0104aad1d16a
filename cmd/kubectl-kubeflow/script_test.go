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

// TestWithoutACluster runs the program as a user types it where there is no cluster to reach:
// help, wrong usage, bad input. Each script is a file of testdata/script.
func TestWithoutACluster(t *testing.T) {
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
