package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// A bound is a reader of the program, as a user reaches it, and how much it reads.
type bound struct {
	reads string
	args  string // FILE is the input, DIR the folder around it
	name  string // of the file in the folder
	head  string // the content, which is filled up with a comment
	most  int64  // bytes
	says  string // one byte over the bound
	stdin bool
	heavy int64 // megabytes that it may take at the bound
}

var bounds = []bound{
	{reads: "users", args: "auth user add -f FILE --dry-run", name: "users.csv", head: "email,profile\nann@example.com,ann\n#", most: 1 << 20, says: "larger than 1 MiB", heavy: 20},
	{reads: "users from standard input", args: "auth user add -f - --dry-run", name: "users.csv", head: "email,profile\nann@example.com,ann\n#", most: 1 << 20, says: "larger than 1 MiB", stdin: true, heavy: 20},
	{reads: "a password", args: "auth password --from-file FILE --yes", name: "password", head: "#", most: 4 << 10, says: "larger than 4 KiB", heavy: 20},
	{reads: "a password of verify", args: "verify login --password-file FILE", name: "password", head: "#", most: 4 << 10, says: "larger than 4 KiB", heavy: 20},
	{reads: "a password of doctor", args: "doctor --fix --yes --dex-password FILE", name: "password", head: "#", most: 4 << 10, says: "larger than 4 KiB", heavy: 20},
	{reads: "the configuration of an application directory", args: "build --dir DIR", name: "kubeflow.yaml", head: "apiVersion: kubeflow.install/v1alpha1\nkind: ApplicationDirectory\nrelease: \"0.1\"\n#", most: 1 << 20, says: "larger than 1 MiB", heavy: 100},
	{reads: "manifests", args: "doctor -f FILE", name: "manifests.yaml", head: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n#", most: 64 << 20, says: "larger than 64 MiB", heavy: 1200},
	{reads: "manifests from standard input", args: "doctor -f -", name: "manifests.yaml", head: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n#", most: 64 << 20, says: "larger than 64 MiB", stdin: true, heavy: 1500},
	{reads: "a KfDef", args: "build -f FILE --dir NEW", name: "kfdef.yaml", head: "apiVersion: kfdef.apps.kubeflow.org/v1\nkind: KfDef\nspec: {applications: [{name: a}]}\n#", most: 64 << 20, says: "larger than 64 MiB", heavy: 1200},
	{reads: "an archive", args: "build -f FILE --dir NEW", name: "manifests-1.9.1.tar.gz", head: "#", most: 256 << 20, says: "larger than 256 MiB", heavy: 800},
}

// TestReadersEndAtTheirBounds gives each reader a file at its bound, which it reads, and one that is a byte larger, which it refuses with the bound.
// Both end within seconds and megabytes.
func TestReadersEndAtTheirBounds(t *testing.T) {
	work := t.TempDir()
	t.Setenv("HOME", work)
	t.Setenv("KUBECONFIG", filepath.Join(work, "config"))
	write(t, filepath.Join(work, "config"), strings.ReplaceAll(contextless, "SERVER", "https://127.0.0.1:1")+", current-context: aks}")
	for _, b := range bounds {
		if b.most > 64<<20 && testing.Short() {
			continue
		}
		for _, over := range []int64{0, 1} {
			folder := t.TempDir()
			file := filepath.Join(folder, b.name)
			if err := fill(file, b.head, b.most+over); err != nil {
				t.Fatal(err)
			}
			var in io.Reader = strings.NewReader("")
			if b.stdin {
				opened, err := os.Open(file)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = opened.Close() }()
				in = opened
			}
			args := strings.Fields(strings.NewReplacer("FILE", file, "DIR", folder, "NEW", filepath.Join(folder, "new")).Replace(b.args))
			said, seconds, megabytes := cost(args, in)
			t.Logf("%-48s %10d bytes: %4.1f s, %4d MB: %s", b.reads, b.most+over, seconds, megabytes, strings.ReplaceAll(said[:min(len(said), 120)], folder, ""))
			if refused := strings.Contains(said, b.says); refused != (over > 0) {
				t.Errorf("%s of %d bytes, %d over the bound: %s", b.reads, b.most+over, over, said[:min(len(said), 500)])
			}
			if most := map[bool]int64{false: b.heavy, true: 40}[over > 0 && !b.stdin]; megabytes > most || seconds > 60 || len(said) > 100_000 {
				t.Errorf("%s of %d bytes took %.1f s and %d MB, and says %d bytes", b.reads, b.most+over, seconds, megabytes, len(said))
			}
		}
	}
}

// fill writes a file of a size that begins with a text. The rest is a comment without an end of line.
func fill(name, head string, size int64) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	if _, err := file.WriteString(head); err != nil {
		return err
	}
	block := bytes.Repeat([]byte("x"), 1<<20)
	for left := size - int64(len(head)); left > 0; left -= int64(len(block)) {
		if _, err := file.Write(block[:min(left, int64(len(block)))]); err != nil {
			return err
		}
	}
	return nil
}

// cost runs a command line, and returns what it says, and what it takes.
func cost(args []string, in io.Reader) (said string, seconds float64, megabytes int64) {
	var out, errOut bytes.Buffer
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	run(args, in, &out, &errOut)
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	return errOut.String() + out.String(), took.Seconds(), int64(after.TotalAlloc-before.TotalAlloc) >> 20
}

// TestABundleIsReadUpToItsBound opens a bundle that unpacks to what a bundle may, and to more.
func TestABundleIsReadUpToItsBound(t *testing.T) {
	const most = 64 << 20
	for _, over := range []int64{-1 << 20, 1 << 10} {
		var packed bytes.Buffer
		zipped, _ := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
		archive := tar.NewWriter(zipped)
		add := func(name, head string, size int64) {
			if err := archive.WriteHeader(&tar.Header{Name: "b/" + name, Mode: 0o600, Size: size}); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(archive, head+strings.Repeat("x", int(size)-len(head))); err != nil {
				t.Fatal(err)
			}
		}
		add("bundle.yaml", "apiVersion: kubeflow.bundle/v1alpha1\nkind: Bundle\ntaken: \"2026-03-01T12:00:00Z\"\n#", 100)
		add("logs/kubeflow/a/main.100.log", "", most+over)
		if err := archive.Close(); err != nil {
			t.Fatal(err)
		}
		if err := zipped.Close(); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "bundle.tar.gz")
		if err := os.WriteFile(file, packed.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		said, seconds, megabytes := cost([]string{"doctor", "--from", file}, strings.NewReader(""))
		t.Logf("a bundle of %d bytes that unpacks to %d: %.1f s, %d MB: %.100s", packed.Len(), most+over, seconds, megabytes, said)
		if refused := strings.Contains(said, "unpacks to more than 64 MiB"); refused != (over > 0) || megabytes > 800 || seconds > 60 {
			t.Errorf("it unpacks to %d bytes, and took %.1f s and %d MB: %s", most+over, seconds, megabytes, fmt.Sprintf("%.300s", said))
		}
	}
}
