//go:build unix

package sandboxtest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
)

// program returns the sandbox program, built once per test binary: go itself
// sees when there is nothing to do.
var program = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("KUBEFLOW_SANDBOX"); path != "" {
		return path, nil
	}
	source, err := source()
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	checkout := sha256.Sum256([]byte(source))
	dir := filepath.Join(cache, "kubectl-kubeflow", "sandbox", "program", hex.EncodeToString(checkout[:6]))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return filepath.Join(dir, "sandbox"), build(source, dir)
})

// build compiles the sandbox module. The tests of several packages run side by
// side, so they take turns.
func build(source, dir string) error {
	lock, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("locking %s: %w", lock.Name(), err)
	}
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(dir, "sandbox"), ".")
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building the sandbox in %s: %w\n%s", source, err, out)
	}
	return nil
}

// source looks for the sandbox folder upwards from the test's package.
func source() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		candidate := filepath.Join(dir, "sandbox")
		if _, err := os.Stat(filepath.Join(candidate, "go.mod")); err == nil {
			return candidate, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no sandbox folder above the test's package")
		}
		dir = parent
	}
}
