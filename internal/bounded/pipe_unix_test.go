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
	name := filepath.Join(folder, "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := File(ctx, name, 10); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a pipe without a writer: %v", err)
	}
	if _, err := In(folder, "pipe", 10); err == nil {
		t.Error("a pipe in a folder was read")
	}
	go func() {
		for range 2 { // the reader above waits as well
			_ = os.WriteFile(name, []byte("x"), 0)
		}
	}()
	if content, err := File(t.Context(), name, 10); err != nil || len(content) > 2 {
		t.Errorf("%q, %v", content, err)
	}
}
