package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
)

// The cache holds each content once, under its hash, and for each address the hash it last had. It
// is a convenience: what cannot be read or written there is fetched again, never an error.

// kept is the copy of what a request wants, checked as if it had just come.
func (f *Fetcher) kept(r Request) (*Fetched, bool) {
	if f.Cache == "" {
		return nil, false
	}
	hash := r.Hash
	if hash == "" || f.SkipVerify {
		known, err := os.ReadFile(f.addressFile(r))
		if err == nil {
			hash = string(known)
		}
	}
	if hash == "" {
		return nil, false
	}
	content, err := readFile(f.contentFile(hash), f.limits().Download)
	if err != nil {
		return nil, false
	}
	got, err := f.accept(content, r)
	return got, err == nil && got.Hash == hash
}

func (f *Fetcher) keep(r Request, hash string, content []byte) {
	if f.Cache == "" {
		return
	}
	if WriteFile(f.contentFile(hash), content) == nil {
		_ = WriteFile(f.addressFile(r), []byte(hash))
	}
}

func (f *Fetcher) contentFile(hash string) string {
	return filepath.Join(f.Cache, "content", digest(hash))
}

// addressFile keeps mirrors apart: what one of them calls 26.03 is not what the internet does.
func (f *Fetcher) addressFile(r Request) string {
	return filepath.Join(f.Cache, "addresses", digest(f.Mirror+" "+r.URL))
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// WriteFile writes a file whole or not at all, so that a killed process leaves nothing half-written.
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
