package build

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Old Kubernetes tags do not contain the OpenAPI definitions that their API
// server needs; a release build generates them first. This file does the same,
// with the generator from the same module graph.
const (
	openAPIPackage = "k8s.io/kubernetes/pkg/generated/openapi"
	openAPIFile    = "zz_generated.openapi"
)

// openAPIPackages lists the API packages to describe, one per line; none if
// the tag is complete.
func openAPIPackages(c component) string {
	if !c.openAPI {
		return ""
	}
	list, _ := modules.ReadFile("modules/" + strings.Replace(c.module, c.name, "openapi", 1) + ".txt") // embedded
	return string(list)
}

// generateOpenAPI copies Kubernetes' source, adds the definitions, and returns a
// go.mod, relative to work, that builds from the copy.
func (c component) generateOpenAPI(ctx context.Context, work string) (modfile string, err error) {
	source, err := downloaded(ctx, work, "k8s.io/kubernetes")
	if err != nil {
		return "", err
	}
	sourceCopy := filepath.Join(work, "kubernetes")
	for _, part := range []string{"pkg", "cmd", "plugin", "third_party"} {
		if err := os.CopyFS(filepath.Join(sourceCopy, part), os.DirFS(filepath.Join(source, part))); err != nil {
			return "", fmt.Errorf("copying %s: %w", part, err)
		}
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(source, name))
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(sourceCopy, name), content, 0o644); err != nil {
			return "", err
		}
	}
	generated, err := c.runGenerator(ctx, work)
	if err != nil {
		return "", err
	}
	place := filepath.Join(sourceCopy, strings.TrimPrefix(openAPIPackage, "k8s.io/kubernetes/"), openAPIFile+".go")
	if err := os.Rename(generated, place); err != nil {
		return "", err
	}
	return c.writeReplacingModfile(work)
}

// runGenerator returns the generated file.
func (c component) runGenerator(ctx context.Context, work string) (string, error) {
	generator := filepath.Join(work, "openapi-gen")
	if _, err := goTool(ctx, work, "build", "-buildvcs=false", "-trimpath", "-o", generator, "k8s.io/kube-openapi/cmd/openapi-gen"); err != nil {
		return "", err
	}
	header := filepath.Join(work, "header.txt")
	if err := os.WriteFile(header, nil, 0o644); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, generator,
		"--input-dirs="+strings.Join(strings.Fields(openAPIPackages(c)), ","),
		"--output-package="+openAPIPackage,
		"--output-file-base="+openAPIFile,
		"--output-base="+filepath.Join(work, "generated"),
		"--go-header-file="+header,
		"--report-filename="+filepath.Join(work, "violations.txt"))
	cmd.Dir = work
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("openapi-gen: %w\n%s", err, out)
	}
	return filepath.Join(work, "generated", filepath.FromSlash(openAPIPackage), openAPIFile+".go"), nil
}

// writeReplacingModfile writes build.mod, which is go.mod with Kubernetes
// replaced by the copy, and its sums.
func (c component) writeReplacingModfile(work string) (string, error) {
	mod, sum, err := c.files()
	if err != nil {
		return "", err
	}
	mod = append(mod, "\nreplace k8s.io/kubernetes => ./kubernetes\n"...)
	if err := os.WriteFile(filepath.Join(work, "build.mod"), mod, 0o644); err != nil {
		return "", err
	}
	return "build.mod", os.WriteFile(filepath.Join(work, "build.sum"), sum, 0o644)
}

// downloaded returns the folder of a module's source, which go has verified
// against the pinned sum.
func downloaded(ctx context.Context, work, module string) (string, error) {
	out, err := goTool(ctx, work, "mod", "download", "-json", module)
	if err != nil {
		return "", err
	}
	var answer struct{ Dir string }
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		return "", fmt.Errorf("reading what go mod download says: %w", err)
	}
	return answer.Dir, nil
}
