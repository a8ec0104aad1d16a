package bounded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// bomb is a text of a few hundred bytes whose aliases stand for ten to the power of depth values.
func bomb(depth int) string {
	out := "x0: &x0 [1,1,1,1,1,1,1,1,1,1]\n"
	for i := 1; i < depth; i++ {
		out += fmt.Sprintf("x%d: &x%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*x%d,", i-1), 10), ","))
	}
	return out
}

func TestYAMLIsBoundedBeforeItIsParsed(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		refused bool
	}{
		"a manifest":               {"apiVersion: v1\nkind: Role\nrules: [{verbs: ['*']}]\n", false},
		"a script":                 {"data:\n  run: |\n    a && b & c *\n    [ -f x ] && echo *\n", false},
		"an alias":                 {"a: &a {b: c}\nd: *a\n", false},
		"many small values":        {"a: [" + strings.Repeat("{},", Nodes/2) + "]", true},
		"many empty items":         {strings.Repeat("-\n", Nodes+1), true},
		"many lists in a list":     {strings.Repeat("- - - - -\n", Nodes/4), true},
		"a small bomb":             {bomb(4), false},
		"a bomb":                   {bomb(7), true},
		"a bomb without an end":    {"a: &a [*a, *a]\n", true},
		"a bomb as a document":     {"a: b\n---\n" + bomb(8), true},
		"a bomb beside no YAML":    {"a: b: c: [\n---\n" + bomb(8), true},
		"a bomb in a string":       {"patch: |-\n  " + strings.ReplaceAll(bomb(8), "\n", "\n  "), true},
		"a bomb in a quoted one":   {"patch: \"" + strings.ReplaceAll(bomb(8), "\n", "\\n") + "\"", true},
		"a bomb in a string twice": {"a: |\n  b: |\n    " + strings.ReplaceAll(bomb(8), "\n", "\n    "), true},
		"a bomb of keys":           {strings.ReplaceAll(bomb(8), ": &", ":   !!seq   &"), true},
		"too much text":            {"a: " + strings.Repeat("x", Manifests), true},
		"not YAML":                 {"\x00\x01&a *b", false},
	} {
		began := time.Now()
		err := YAML([]byte(c.content))
		if (err != nil) != c.refused {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s took %s", name, took)
		}
	}
}

// A text in an object is parsed up to the size and the values that a configuration may have, also if its signs are written as escapes.
func TestATextOfAnObjectIsBoundedBeforeItIsParsed(t *testing.T) {
	list := func(n int) string { return "a: [" + strings.Repeat("x,", n-3) + "x]" }
	for name, c := range map[string]struct {
		text    string
		refused bool
	}{
		"a configuration":      {"issuer: http://dex\nstorage: {type: kubernetes}\n", false},
		"as many values":       {list(FieldNodes), false},
		"one value more":       {list(FieldNodes + 1), true},
		"as much text":         {"a: " + strings.Repeat("x", Field-3), false},
		"a byte more":          {"a: " + strings.Repeat("x", Field-2), true},
		"a bomb":               {bomb(7), true},
		"not YAML":             {"a: [", true},
		"a bomb in a string":   {"b: |-\n  " + strings.ReplaceAll(bomb(8), "\n", "\n  "), true},
		"other words in flow":  {"a: {b: c}", false},
		"escaped signs":        {"a: \"" + strings.Repeat(`\x7b\x7d\x2c`, FieldNodes/2) + "\"", true},
		"longer escapes":       {"a: \"" + strings.Repeat(`\u007b\u005B\U0000002c`, FieldNodes/2) + "\"", true},
		"escapes of words":     {"a: \"" + strings.Repeat(`\u4e2d\x41`, FieldNodes) + "\"", false},
		"escapes in a string":  {`a: "` + strings.Repeat(`\\\x7b`, FieldNodes) + `"`, true},
		"a text without value": {"", false},
	} {
		var value any
		if err := Unmarshal(c.text, &value); (err != nil) != c.refused {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOnlyFilesAndPipesAreRead(t *testing.T) {
	folder := t.TempDir()
	write := func(name, content string) string {
		t.Helper()
		name = filepath.Join(folder, name)
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	small, large := write("small", "x"), write("large", strings.Repeat("x", 11))
	for name, says := range map[string]string{small: "", large: "larger than", folder: "it is a folder", "/dev/zero": "it is a device", "/dev/full": "it is a device"} {
		content, err := File(t.Context(), name, 10)
		if says == "" && (err != nil || string(content) != "x") || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%s: %q, %v", name, content, err)
		}
	}
}

func TestAReaderStopsWithItsContext(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = write.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := All(ctx, read, 10); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a stream without an end: %v", err)
	}
}

func TestALinkDoesNotLeadOutOfAFolder(t *testing.T) {
	folder := t.TempDir()
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"absolute": outside, "relative": "../" + filepath.Base(filepath.Dir(outside)) + "/secret", "device": "/dev/zero", "folder": filepath.Dir(outside)} {
		if err := os.Symlink(target, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"absolute", "relative", "device", "folder/secret", "../" + filepath.Base(filepath.Dir(outside)) + "/secret", outside} {
		if content, err := In(folder, name, 100); err == nil {
			t.Errorf("%s was read: %q", name, content)
		}
	}
}

// Every reader delivers what is at its limit, refuses one byte more, and takes memory in proportion to the limit, not to what it is given.
func TestReadersStopAtTheirLimits(t *testing.T) {
	folder := t.TempDir()
	root, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	const far = 4 << 30
	for name, limit := range map[string]int64{"a password": Password, "a message": Message, "a configuration": Config, "manifests": 16 << 20} {
		for _, size := range []int64{limit, limit + 1, far} {
			file := filepath.Join(folder, "sparse")
			if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Truncate(file, size)); err != nil {
				t.Fatal(err)
			}
			for reader, read := range map[string]func() ([]byte, error){
				"All":    func() ([]byte, error) { return All(t.Context(), io.LimitReader(zeros{}, size), limit) },
				"File":   func() ([]byte, error) { return File(t.Context(), file, limit) },
				"In":     func() ([]byte, error) { return In(folder, "sparse", limit) },
				"Inside": func() ([]byte, error) { return Inside(root, "sparse", limit) },
			} {
				runtime.GC()
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				began := time.Now()
				content, err := read()
				took := time.Since(began)
				runtime.ReadMemStats(&after)
				allocated := int64(after.TotalAlloc - before.TotalAlloc)
				t.Logf("%-16s %-6s of %10d bytes: %8d kB allocated in %s, %v", name, reader, size, allocated>>10, took.Round(time.Microsecond), err)
				if size == limit && (err != nil || int64(len(content)) != limit) || size > limit && (!errors.As(err, new(*Error)) || content != nil) {
					t.Errorf("%s of %s, %d bytes at a limit of %d: %d bytes, %v", reader, name, size, limit, len(content), err)
				}
				if allocated > 8*limit+1<<20 {
					t.Errorf("%s of %s, %d bytes at a limit of %d: it took %d bytes of memory", reader, name, size, limit, allocated)
				}
			}
		}
	}
}

// zeros is a stream without an end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func FuzzYAML(f *testing.F) {
	for _, seed := range []string{bomb(4), bomb(8), "a: &a [*a]", "{}", "- - -", "a: |\n  b: &c [*c]\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		began := time.Now()
		_ = YAML(content)
		var value any
		if err := Unmarshal(string(content), &value); err == nil && len(content) > Field {
			t.Errorf("%d bytes are parsed", len(content))
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Fatalf("%d bytes took %s", len(content), took)
		}
	})
}
