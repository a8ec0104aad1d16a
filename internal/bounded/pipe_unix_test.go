//go:build unix

package bounded

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestANamedPipeIsReadToItsEndOrUntilTheContextEnds(t *testing.T) {
	folder := t.TempDir()
	pipe := func(name string) string {
		t.Helper()
		name = filepath.Join(folder, name)
		if err := syscall.Mkfifo(name, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := File(ctx, pipe("silent"), 10); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a pipe without a writer: %v", err)
	}
	if _, err := In(folder, "silent", 10); err == nil {
		t.Error("a pipe in a folder was read")
	}
	written := pipe("written")
	go func() { _ = os.WriteFile(written, []byte("x"), 0) }()
	if content, err := File(t.Context(), written, 10); err != nil || string(content) != "x" {
		t.Errorf("%q, %v", content, err)
	}
}
