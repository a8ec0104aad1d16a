package archive

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"

	"golang.org/x/mod/sumdb/dirhash"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
)

// An Archive is the unpacked content of an archive, or a single file.
type Archive struct {
	// Files are the regular files by name, relative to the archive's top folder, with slashes.
	Files map[string][]byte
	// Links are the symbolic links by name, each with the name of the file or folder inside the archive it means.
	Links map[string]string
	// Single is the name of the only file if the content was a single file instead of an archive.
	Single string
}

// Hash is the h1: directory hash over the regular files, as go.sum has it.
func (a *Archive) Hash() (string, error) {
	return dirhash.Hash1(slices.Collect(maps.Keys(a.Files)), func(name string) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(a.Files[name])), nil
	})
}

// A MismatchError is returned when content does not match its pin.
type MismatchError struct {
	URL, Want, Got string
}

// Error returns a message with both hashes.
func (e *MismatchError) Error() string {
	return fmt.Sprintf("%s is not what it should be: its hash is %s, expected %s", redact.URL(e.URL), e.Got, e.Want)
}

// A BadArchiveError is returned when content cannot be used as an archive.
type BadArchiveError struct {
	Reason string
}

// Error returns the reason as one sentence.
func (e *BadArchiveError) Error() string { return e.Reason }

func bad(format string, args ...any) error {
	return &BadArchiveError{Reason: fmt.Sprintf(format, args...)}
}
