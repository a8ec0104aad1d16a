package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
)

// The cache stores each content under its hash. Others may be able to write it, such as another job on a
// shared machine, so it never decides what is used: only content whose hash is known from a pin or a lock is
// read from it, and the hash is computed again. A failure to read or write it is never an error.

// kept returns the cached content of a request whose hash is known.
func (f *Fetcher) kept(r Request) (*Fetched, bool) {
	if f.Cache == "" || r.Hash == "" {
		return nil, false
	}
	content, err := readFile(f.contentFile(r.Hash), f.limits().Download)
	if err != nil {
		return nil, false
	}
	got, err := f.accept(content, r)
	return got, err == nil && got.Hash == r.Hash
}

func (f *Fetcher) keep(hash string, content []byte) {
	if f.Cache != "" {
		_ = WriteFile(f.contentFile(hash), content)
	}
}

func (f *Fetcher) contentFile(hash string) string {
	return filepath.Join(f.Cache, "content", digest(hash))
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// WriteFile writes a file atomically, so that a killed process leaves no partial file.
func WriteFile(name string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return err
	}
	_, err = temporary.Write(content)
	if closed := temporary.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(temporary.Name(), name)
	}
	if err != nil {
		_ = os.Remove(temporary.Name())
	}
	return err
}
