package kubeflow

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
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

func TestADirectoryDoesNotStoreCredentialsOfItsSource(t *testing.T) {
	const secret = "hUnter2x"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != secret && r.URL.Query().Get("sig") != secret {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default}\n"))
	}))
	defer server.Close()
	for name, address := range map[string]string{
		"user":  strings.Replace(server.URL, "://", "://user:"+secret+"@", 1) + "/x.yaml",
		"query": server.URL + "/x.yaml?sig=" + secret,
	} {
		t.Run(name, func(t *testing.T) {
			var said strings.Builder
			o := BuildOptions{Source: Source{File: address, CacheDir: t.TempDir(), SkipVerify: true}, Dir: filepath.Join(t.TempDir(), "d"), Notify: func(n Notice) { fmt.Fprintf(&said, "%+v\n", n) }}
			built, err := Build(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			err = filepath.WalkDir(o.Dir, func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				content, err := os.ReadFile(path)
				if strings.Contains(string(content), secret) {
					t.Errorf("%s has the credentials:\n%s", path, content)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			again := o
			again.File = ""
			if _, err = Build(t.Context(), again); err == nil || !strings.Contains(err.Error(), "whose credentials are not stored") {
				t.Errorf("a build without the address: %v", err)
			}
			if _, err = Build(t.Context(), o); err != nil {
				t.Errorf("a build with the address: %v", err)
			}
			if all := said.String() + fmt.Sprintf("%+v %v", built.Config, err); strings.Contains(all, secret) {
				t.Errorf("the credentials are readable in:\n%s", all)
			}
		})
	}
}
