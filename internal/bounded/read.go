package bounded

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

// The sizes of what is read, in bytes. What people and Kubeflow really have is smaller by an order of magnitude.
const (
	Manifests = 64 << 20 // rendered YAML; that of Kubeflow 26.03 has 6 MB
	Config    = 1 << 20  // a configuration or lock file
	Password  = 4 << 10
	Field     = 1536 << 10 // a text in an object: the API server stores no larger object
	Program   = 512 << 20  // this one
	Message   = 64 << 10   // an error from a peer, a web page's head
)

// longest is how long a pipe may take to deliver its content.
const longest = 10 * time.Minute

// An Error says which limit was passed.
type Error struct{ Why string }

// Error returns the limit.
func (e *Error) Error() string { return e.Why }

// Size checks what was read already.
func Size(content []byte, limit int64) error {
	if int64(len(content)) > limit {
		return tooLarge(limit)
	}
	return nil
}

func tooLarge(limit int64) error { return &Error{"it is larger than " + size(limit)} }

func size(bytes int64) string {
	if bytes >= 1<<20 {
		return fmt.Sprintf("%d MiB", bytes>>20)
	}
	return fmt.Sprintf("%d KiB", bytes>>10)
}

// All reads a stream to its end. It returns when ctx ends, even if the stream never does.
func All(ctx context.Context, from io.Reader, limit int64) ([]byte, error) {
	type result struct {
		content []byte
		err     error
	}
	done := make(chan result, 1)
	go func() {
		content, err := io.ReadAll(io.LimitReader(from, limit+1))
		if err == nil && int64(len(content)) > limit {
			content, err = nil, tooLarge(limit)
		}
		done <- result{content, err}
	}()
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case r := <-done:
		return r.content, r.err
	}
}

// Start reads the beginning of a stream, and leaves the rest.
func Start(from io.Reader, limit int64) ([]byte, error) {
	return io.ReadAll(io.LimitReader(from, limit))
}

// File reads a file that the user named: links are followed, and a pipe is read to its end. Devices are refused.
func File(ctx context.Context, name string, limit int64) ([]byte, error) {
	file, err := Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	if stat, err := file.Stat(); err == nil && stat.Mode().IsRegular() {
		return regular(file, stat.Size(), limit)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, longest, &Error{"it has no end after " + longest.String()})
	defer cancel()
	return All(ctx, file, limit)
}

// Open opens a file that the user named, or a pipe, to be read by a reader with limits of its own.
func Open(ctx context.Context, name string) (*os.File, error) {
	stat, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if err := readable(stat, true); err != nil {
		return nil, err
	}
	type result struct {
		file *os.File
		err  error
	}
	done := make(chan result)
	go func() { // a named pipe is opened when its writer comes
		file, err := os.Open(name)
		select {
		case done <- result{file, err}:
		case <-ctx.Done(): // a writer that comes too late must not wait for this reader
			if err == nil {
				_ = file.Close()
			}
		}
	}()
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case r := <-done:
		return r.file, r.err
	}
}

// Inside reads a regular file below a folder. A link that leads out of the folder, a device and a pipe are refused, also if
// they take the file's place at the last moment.
func Inside(root *os.Root, name string, limit int64) ([]byte, error) {
	file, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe does not block
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	stat, err := file.Stat()
	if err == nil {
		err = readable(stat, false)
	}
	if err != nil {
		return nil, err
	}
	return regular(file, stat.Size(), limit)
}

// regular reads a file that says how large it is, which is not believed: it may grow, and those of the kernel say 0.
func regular(file io.Reader, size, limit int64) ([]byte, error) {
	if size > limit {
		return nil, tooLarge(limit)
	}
	content := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead)) // taken at once: growing would take five times as much
	_, err := content.ReadFrom(io.LimitReader(file, limit+1))
	if err == nil && int64(content.Len()) > limit {
		return nil, tooLarge(limit)
	}
	return content.Bytes(), err
}

// In reads a regular file of a folder like Inside.
func In(folder, name string, limit int64) ([]byte, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	return Inside(root, name, limit)
}

func readable(stat os.FileInfo, pipes bool) error {
	switch mode := stat.Mode(); {
	case mode.IsRegular(), pipes && mode&os.ModeNamedPipe != 0, pipes && terminal(stat):
		return nil
	case mode.IsDir():
		return &Error{"it is a folder"}
	case mode&os.ModeDevice != 0:
		return &Error{"it is a device, not a file"}
	}
	return &Error{"it is not a regular file"}
}

// terminal reports whether a file is this process's own terminal, as /dev/stdin and /dev/tty are.
func terminal(stat os.FileInfo) bool {
	if stat.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	own, err := os.Stdin.Stat()
	return err == nil && os.SameFile(own, stat)
}
