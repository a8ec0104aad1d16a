package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
)

// The cache stores each content once, under its hash, and for each address the last hash. A failure to
// read or write it is never an error: the content is fetched again.

// kept returns the cached content of a request, verified like a new download.
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

// addressFile separates mirrors: their content for an address may differ from that of the internet.
func (f *Fetcher) addressFile(r Request) string {
	return filepath.Join(f.Cache, "addresses", digest(f.Mirror+" "+r.URL))
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
