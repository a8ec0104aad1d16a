package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"
)

// pack returns a bundle with these files; a content may be an endless reader of a size.
func pack(t *testing.T, files map[string]io.Reader, sizes map[string]int64) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped, _ := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	archive := tar.NewWriter(zipped)
	for name, content := range files {
		if err := archive.WriteHeader(&tar.Header{Name: "b/" + name, Mode: 0o600, Size: sizes[name]}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(archive, content, sizes[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := zipped.Close(); err != nil { // the archive's end is left out: it does not matter
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestAHostileBundleIsRefusedWithinBounds(t *testing.T) {
	bomb := "x0: &x0 [1,1,1,1,1,1,1,1,1,1]\n"
	for i := 1; i < 9; i++ {
		bomb += fmt.Sprintf("x%d: &x%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*x%d,", i-1), 10), ","))
	}
	object := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
	for name, c := range map[string]struct{ content, says string }{
		"many small values":   {object + "data: [" + strings.Repeat("{},", 5_000_000) + "]\n", "values"},
		"many objects":        {strings.Repeat(object+"---\n", 600_000), "values"},
		"an alias bomb":       {object + bomb, "values"},
		"a long text":         {object + "data: {a: " + strings.Repeat("x", 70<<20) + "}\n", "MiB"},
		"a long name":         {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + strings.Repeat("x", 5<<20) + "}\n", "longer than"},
		"a deep value":        {object + "data: " + strings.Repeat("[", 1_000_000) + "\n", ""},
		"many lines of blank": {strings.Repeat("\n---\n", 5_000_000), ""},
	} {
		file := objectsDir + "a.yaml"
		packed := pack(t, map[string]io.Reader{file: strings.NewReader(c.content)}, map[string]int64{file: int64(len(c.content))})
		c.content = ""
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := time.Now()
		_, err := Open(bytes.NewReader(packed))
		took := time.Since(began)
		runtime.ReadMemStats(&after)
		megabytes := (after.TotalAlloc - before.TotalAlloc) >> 20
		t.Logf("%-20s %8d bytes: %5.1fs, %4d MB allocated: %v", name, len(packed), took.Seconds(), megabytes, err)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		if took > 20*time.Second || megabytes > 1500 {
			t.Errorf("%s took %s and %d MB", name, took, megabytes)
		}
	}
}

func TestManyFilesInABundleAreRefused(t *testing.T) {
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	archive := tar.NewWriter(zipped)
	for i := range mostEntries + 2 {
		if err := archive.WriteHeader(&tar.Header{Name: fmt.Sprintf("b/%d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(&out); err == nil || !strings.Contains(err.Error(), "files") {
		t.Error(err)
	}
}

func FuzzOpen(f *testing.F) {
	for _, content := range []string{"", "kind: Bundle\n", "a: &a [*a]\n", "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n"} {
		f.Add(objectsDir+"a.yaml", content)
		f.Add(headFile, content)
		f.Add(answersFile, content)
		f.Add(logsDir+"a/b/c.1.log", content)
	}
	f.Fuzz(func(t *testing.T, name, content string) {
		if len(name) > 90 || strings.ContainsRune(name, 0) {
			t.Skip("no archive has such names")
		}
		began := time.Now()
		opened, err := Open(bytes.NewReader(pack(t, map[string]io.Reader{name: strings.NewReader(content)}, map[string]int64{name: int64(len(content))})))
		if err == nil {
			opened.View()
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Fatalf("%d bytes took %s", len(content), took)
		}
	})
}
