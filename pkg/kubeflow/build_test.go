package kubeflow

import (
	"path/filepath"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/appdir"
)

func TestADirectoryDoesNotChooseWhichFilesAreRead(t *testing.T) {
	root := t.TempDir()
	inside, outside := filepath.Join(root, "d", "mine.yaml"), filepath.Join(root, "secret.yaml")
	for file, refused := range map[string]bool{inside: false, outside: true, "file://" + outside: true, "/proc/self/environ": true, "https://example.com/x.yaml": false} {
		dir := &appdir.Dir{Path: filepath.Join(root, "d")}
		dir.Config.Build.Filename = file
		if _, err := (BuildOptions{}).config(dir); (err != nil) != refused {
			t.Errorf("%s from the configuration: %v", file, err)
		}
		if _, err := (BuildOptions{Source: Source{File: file}}).config(dir); err != nil {
			t.Errorf("%s from the user: %v", file, err)
		}
		if _, err := (BuildOptions{Source: Source{Unrestricted: true}}).config(dir); err != nil {
			t.Errorf("%s without the restriction: %v", file, err)
		}
	}
}
