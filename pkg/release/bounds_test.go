package release

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// endless is a stream without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return copy(p, strings.Repeat("a: b\n", len(p)/5+1)), nil }

// silent is a stream that sends nothing.
type silent struct{ context.Context }

func (s silent) Read([]byte) (int, error) { <-s.Done(); return 0, io.EOF }

// TestReadersStopAtTheirBounds gives each reader of manifests what has no end or takes all memory.
func TestReadersStopAtTheirBounds(t *testing.T) {
	bomb := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\nx0: &x0 [1,1,1,1,1,1,1,1,1,1]\n"
	for i := 1; i < 9; i++ {
		bomb += fmt.Sprintf("x%d: &x%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*x%d,", i-1), 10), ","))
	}
	many := cm + "x}\ndata: [" + strings.Repeat("{},", 1_200_000) + "]\n"
	root := tree(t, map[string]string{
		"bomb.yaml": bomb, "many.yaml": many, "folder/kustomization.yaml": "resources: [bomb.yaml]\n", "folder/bomb.yaml": bomb,
		"patch/kustomization.yaml": "resources: [cm.yaml]\npatches:\n- patch: |-\n    " + strings.ReplaceAll(bomb, "\n", "\n    ") + "\n", "patch/cm.yaml": cm + "x}\n",
		"top/kustomization.yaml": bomb, "big/kustomization.yaml": "configMapGenerator: [{name: x, files: [many.yaml]}]\n", "big/many.yaml": many,
		"kfdef.yaml": strings.Replace(strings.Replace(bomb, "apiVersion: v1", "apiVersion: kfdef.apps.kubeflow.org/v1", 1), "ConfigMap", "KfDef", 1),
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/bomb.yaml" {
			_, _ = io.WriteString(w, bomb)
			return
		}
		_, _ = io.Copy(w, endless{})
	}))
	defer server.Close()
	if err := os.WriteFile(filepath.Join(root, "large.yaml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(root, "large.yaml"), 10<<30); err != nil { // a sparse file
		t.Fatal(err)
	}
	stopped, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for name, c := range map[string]struct {
		in  Input
		ctx context.Context
	}{
		"an alias bomb":           {in: Input{File: filepath.Join(root, "bomb.yaml")}},
		"many values":             {in: Input{File: filepath.Join(root, "many.yaml")}},
		"a KfDef":                 {in: Input{File: filepath.Join(root, "kfdef.yaml")}},
		"a resource":              {in: Input{File: filepath.Join(root, "folder")}},
		"a patch":                 {in: Input{File: filepath.Join(root, "patch")}},
		"a kustomization":         {in: Input{File: filepath.Join(root, "top")}},
		"a generator's file":      {in: Input{File: filepath.Join(root, "big")}},
		"a large file":            {in: Input{File: filepath.Join(root, "large.yaml")}},
		"a device":                {in: Input{File: "/dev/zero"}},
		"an endless input":        {in: Input{File: "-", Stdin: endless{}}},
		"a silent input":          {in: Input{File: "-", Stdin: silent{t.Context()}}, ctx: stopped},
		"an endless URL":          {in: Input{File: server.URL + "/endless.yaml"}},
		"a bomb at a URL":         {in: Input{File: server.URL + "/bomb.yaml"}},
		"an endless archive":      {in: Input{File: server.URL + "/endless.tar.gz"}},
		"a file URL of a device":  {in: Input{File: "file:///dev/zero"}},
		"a folder of everything":  {in: Input{File: root}},
		"the file system's limit": {in: Input{File: "/proc/kcore"}},
	} {
		ctx := c.ctx
		if ctx == nil {
			ctx = t.Context()
		}
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := time.Now()
		_, err := Render(ctx, c.in, RenderOptions{CacheDir: t.TempDir()})
		took := time.Since(began)
		runtime.ReadMemStats(&after)
		megabytes := (after.TotalAlloc - before.TotalAlloc) >> 20
		said := fmt.Sprint(err)
		t.Logf("%-24s %5.1fs, %4d MB allocated: %s", name, took.Seconds(), megabytes, strings.ReplaceAll(said[:min(len(said), 110)], root, ""))
		if err == nil || c.ctx != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: error is %v", name, err)
		}
		if took > 30*time.Second || megabytes > 1500 {
			t.Errorf("%s took %s and %d MB", name, took, megabytes)
		}
	}
}
