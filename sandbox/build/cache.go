package build

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

//go:embed modules
var modules embed.FS

// CacheDir returns the folder of the programs that were built.
func CacheDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the user's cache folder: %w", err)
	}
	return filepath.Join(base, "kubectl-kubeflow", "sandbox"), nil
}

// files returns the component's pinned go.mod and go.sum.
func (c component) files() (mod, sum []byte, err error) {
	if mod, err = modules.ReadFile("modules/" + c.module + ".mod"); err != nil {
		return nil, nil, err
	}
	sum, err = modules.ReadFile("modules/" + c.module + ".sum")
	return mod, sum, err
}

// folder returns the component's folder below the cache. Its name contains a hash
// of all build inputs, so a changed pin or toolchain never reuses an old binary.
func (c component) folder() (string, error) {
	mod, sum, err := c.files()
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	for _, part := range []string{
		string(mod), string(sum), c.main, c.ldflags(), strings.Join(slices.Concat(c.packages, c.alone), " "),
		openAPIPackages(c), runtime.GOOS, runtime.GOARCH,
	} {
		fmt.Fprintf(hash, "%d:%s", len(part), part)
	}
	return c.name + "-" + c.version + "-" + hex.EncodeToString(hash.Sum(nil))[:12], nil
}

// sweep removes the files of killed builds. Only the holder of the lock may call
// it.
func sweep(cache string) {
	left, _ := filepath.Glob(filepath.Join(cache, ".building-*"))
	for _, dir := range left {
		removeAll(dir)
	}
}

// removeAll also removes folders without write permission, as copies of the
// module cache are.
func removeAll(dir string) {
	_ = filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			_ = os.Chmod(path, 0o755)
		}
		return nil
	})
	_ = os.RemoveAll(dir)
}
