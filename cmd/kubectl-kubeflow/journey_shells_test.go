package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/sandboxtest"
)

// haveShells is the condition [shells]: bash with its completion, zsh and fish. CI must have them.
func haveShells() (bool, error) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if _, err := exec.LookPath(shell); err != nil {
			return missing(shell, err)
		}
	}
	if _, err := os.Stat("/usr/share/bash-completion/bash_completion"); err != nil {
		return missing("bash-completion", err)
	}
	return true, nil
}

// missing is no, and where CI runs an error: there nothing may be left out.
func missing(what string, err error) (bool, error) {
	if os.Getenv("CI") != "" {
		return false, fmt.Errorf("%s is not there: %w", what, err)
	}
	return false, nil
}

// kubectlOnPath: "kubectl VERSION" puts the real kubectl of a Kubernetes version on the PATH.
func kubectlOnPath(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: kubectl VERSION")
	}
	folder := ts.MkAbs("bin")
	ts.Check(os.MkdirAll(folder, 0o755))
	ts.Check(os.Symlink(sandboxtest.Kubectl(args[0]), filepath.Join(folder, "kubectl")))
	addPath(ts, false, []string{"bin"})
}

// addPath: "path FOLDER" puts a folder first on the PATH.
func addPath(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: path FOLDER")
	}
	ts.Setenv("PATH", ts.MkAbs(args[0])+string(os.PathListSeparator)+ts.Getenv("PATH"))
}
