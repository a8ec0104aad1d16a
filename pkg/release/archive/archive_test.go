package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

// packed returns a tar.gz of the entries.
func packed(t *testing.T, entries ...tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	writer := tar.NewWriter(zipped)
	for _, entry := range entries {
		content := entry.PAXRecords["content"]
		entry.PAXRecords = nil
		if entry.Typeflag == 0 {
			entry.Typeflag = tar.TypeReg
		}
		entry.Mode, entry.Size = 0o644, int64(len(content))
		if err := writer.WriteHeader(&entry); err != nil {
			t.Fatal(err)
		}
		if _, err := writer.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(writer.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func file(name, content string) tar.Header {
	return tar.Header{Name: name, PAXRecords: map[string]string{"content": content}}
}

func link(name, target string) tar.Header {
	return tar.Header{Name: name, Linkname: target, Typeflag: tar.TypeSymlink}
}

func TestNamesAreRelativeToTheTopFolder(t *testing.T) {
	a, err := Unpack("x.tar.gz", packed(t, file("top-1.0/a.yaml", "a"), file("top-1.0/b/c.yaml", "c")), DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	if string(a.Files["a.yaml"]) != "a" || string(a.Files["b/c.yaml"]) != "c" || len(a.Files) != 2 {
		t.Errorf("files are %v", a.Files)
	}
}

func TestHashIsTheDirectoryHashOfTheFilesOnly(t *testing.T) {
	a, err := Unpack("x.tar.gz", packed(t, file("top/b.txt", "two\n"), file("top/a.txt", "one\n"), link("top/l", "a.txt")), DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	got, err := a.Hash()
	if err != nil {
		t.Fatal(err)
	}
	lines := fmt.Sprintf("%x  a.txt\n%x  b.txt\n", sha256.Sum256([]byte("one\n")), sha256.Sum256([]byte("two\n")))
	sum := sha256.Sum256([]byte(lines))
	if want := "h1:" + base64.StdEncoding.EncodeToString(sum[:]); got != want {
		t.Errorf("hash is %s, want %s", got, want)
	}
}

func TestUnsafeArchivesAreRejected(t *testing.T) {
	good := file("top/a", "a")
	cases := map[string]struct {
		content []byte
		says    string
	}{
		"a name that climbs out":       {packed(t, good, file("top/../../etc/passwd", "x")), "leads out of the archive"},
		"an absolute name":             {packed(t, good, file("/etc/passwd", "x")), "not a plain relative name"},
		"a Windows drive":              {packed(t, good, file("C:/x", "x")), "not a plain relative name"},
		"a backslash":                  {packed(t, good, file(`top\..\x`, "x")), "not a plain relative name"},
		"a link to an absolute path":   {packed(t, good, link("top/l", "/etc/passwd")), "leads out of the archive"},
		"a link that climbs out":       {packed(t, good, link("top/l", "../../x")), "leads out of the archive"},
		"a link beside the top folder": {packed(t, good, link("top/l", "../x")), "leads out of the archive"},
		"a device":                     {packed(t, good, tar.Header{Name: "top/d", Typeflag: tar.TypeChar}), "neither a file"},
		"a hard link":                  {packed(t, good, tar.Header{Name: "top/h", Linkname: "top/a", Typeflag: tar.TypeLink}), "neither a file"},
		"a name twice":                 {packed(t, good, file("top/./a", "b")), "twice"},
		"nothing":                      {packed(t), "holds no files"},
		"a cut-off gzip":               {packed(t, file("top/a", strings.Repeat("x", 9000)))[:60], "damaged"},
		"no gzip after all":            {[]byte{0x1f, 0x8b, 1, 2, 3}, "cannot be read"},
		"a name for a terminal":        {packed(t, good, file("top/\x1b[2J", "x")), "not a plain relative name"},
		"a link's name twice":          {packed(t, good, link("top/l", "a"), file("top/l", "x")), "twice"},
		"a file that is a folder":      {packed(t, good, file("top/f", "x"), file("top/f/g", "x")), "both as a folder"},
		"a link that is a folder":      {packed(t, file("top/x/a", "a"), link("top/l", "x"), file("top/l/g", "x")), "both as a folder"},
		"a bomb":                       {packed(t, good, file("top/zeros", strings.Repeat("\x00", 40<<20))), "far more than its size"},
		"a page to sign in on":         {[]byte("\n<!DOCTYPE html><html><title>Sign in</title>"), "web page"},
		"nothing at all":               {nil, "nothing in it"},
		"text":                         {[]byte("kind: X"), "not a tar.gz"},
		"a zip":                        {[]byte("PK\x03\x04…"), "zip"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := Unpack("x.tar.gz", c.content, DefaultLimits)
			var bad *BadArchiveError
			if !errors.As(err, &bad) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error is %v, should say %q in one line", err, c.says)
			}
		})
	}
}

func TestArchivesBeyondTheLimitsAreRejected(t *testing.T) {
	content := packed(t, file("top/a", strings.Repeat("a", 600)), file("top/b", strings.Repeat("b", 600)))
	roomy := Limits{Download: 1 << 20, Total: 1200, File: 600, Entries: 2} // exactly what it holds
	if _, err := Unpack("x", content, roomy); err != nil {
		t.Fatalf("within the limits: %v", err)
	}
	for name, tight := range map[string]Limits{
		"all files together": {Total: 1199, File: 600, Entries: 2},
		"one file":           {Total: 1200, File: 599, Entries: 2},
		"the entries":        {Total: 1200, File: 600, Entries: 1},
	} {
		if _, err := Unpack("x", content, tight); err == nil {
			t.Errorf("%s exceeds the limits without an error", name)
		}
	}
}

// What is in an archive besides its files is limited as well: the records of its headers.
func TestHeadersBeyondTheLimitAreRejected(t *testing.T) {
	limits := Limits{Download: 1 << 20, Total: 1 << 20, File: 1 << 20, Entries: 10}
	for _, records := range []int{1, 9} {
		var out bytes.Buffer
		zipped := gzip.NewWriter(&out)
		writer := tar.NewWriter(zipped)
		for i := range records {
			if err := writer.WriteHeader(&tar.Header{Name: fmt.Sprint("top/", i), Typeflag: tar.TypeReg, Mode: 0o644, PAXRecords: map[string]string{"VENDOR.x": strings.Repeat("x", 900<<10)}}); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(writer.Close(), zipped.Close()); err != nil {
			t.Fatal(err)
		}
		if _, err := Unpack("x.tar.gz", out.Bytes(), limits); (err != nil) != (records > 1) {
			t.Errorf("%d records of 900 KiB: %v", records, err)
		}
	}
}

// A download is as large as the limit, or one byte larger, wherever it comes from.
func TestDownloadsBeyondTheLimitAreRejected(t *testing.T) {
	content := packed(t, file("r-1/a", "x"))
	mirror := t.TempDir()
	const place = "github.com/o/r/archive/refs/tags/v1.tar.gz"
	put(t, mirror, place, content)
	server := httptest.NewServer(http.FileServer(http.Dir(mirror)))
	defer server.Close()
	for from, fetch := range map[string]func(Limits) error{
		"a mirror's folder": func(l Limits) error {
			_, err := (&Fetcher{Mirror: mirror, Limits: l}).Fetch(t.Context(), Request{URL: tagged})
			return err
		},
		"a mirror's server": func(l Limits) error {
			_, err := (&Fetcher{Mirror: server.URL, Retry: atOnce, Limits: l}).Fetch(t.Context(), Request{URL: tagged})
			return err
		},
		"a file": func(l Limits) error {
			_, err := (&Fetcher{Limits: l}).Fetch(t.Context(), Request{URL: filepath.Join(mirror, place)})
			return err
		},
	} {
		limits := Limits{Download: int64(len(content)), Total: 1 << 20, File: 1 << 20, Entries: 10}
		if err := fetch(limits); err != nil {
			t.Errorf("%s, at the limit: %v", from, err)
		}
		limits.Download--
		if err := fetch(limits); err == nil || !strings.Contains(err.Error(), "larger") {
			t.Errorf("%s, a byte over the limit: %v", from, err)
		}
	}
}

func TestAPlainFileIsAnArchiveOfOne(t *testing.T) {
	a, err := Unpack("manifests.yaml", []byte("kind: X\n"), DefaultLimits)
	if err != nil || a.Single != "manifests.yaml" || string(a.Files["manifests.yaml"]) != "kind: X\n" {
		t.Errorf("got %+v, %v", a, err)
	}
}

func TestLinksInsideAnArchiveAreKept(t *testing.T) {
	a, err := Unpack("x.tar.gz", packed(t, file("top/a/x", "1"), link("top/b/l", "../a")), DefaultLimits)
	if err != nil || a.Links["b/l"] != "a" {
		t.Errorf("links are %v, %v", a.Links, err)
	}
}

func TestNamesThatDifferInCaseAreTwoFiles(t *testing.T) {
	a, err := Unpack("x.tar.gz", packed(t, file("top/a", "1"), file("top/A", "2")), DefaultLimits)
	if err != nil || string(a.Files["a"]) != "1" || string(a.Files["A"]) != "2" {
		t.Errorf("files are %v, %v", a, err)
	}
}

func TestAnArchiveInAnArchiveIsAFile(t *testing.T) {
	inner := string(packed(t, file("../out", "x")))
	a, err := Unpack("x.tar.gz", packed(t, file("top/inner.tar.gz", inner)), DefaultLimits)
	if err != nil || string(a.Files["inner.tar.gz"]) != inner || len(a.Files) != 1 {
		t.Errorf("files are %v, %v", a, err)
	}
}
