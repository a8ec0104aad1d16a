package archive

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/atomicfile"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
)

// The cache stores each content under its hash. Others may be able to write it, such as another job on a
// shared machine, so it never decides what is used: only content whose hash is known from a pin or a lock is
// read from it, and the hash is computed again. A failure to read or write it is never an error.

// kept returns the cached content of a request whose hash is known.
func (f *Fetcher) kept(r Request) (*Fetched, bool) {
	if f.Cache == "" || r.Hash == "" {
		return nil, false
	}
	content, err := bounded.In(f.Cache, contentFile(r.Hash), f.limits().Download)
	if err != nil {
		return nil, false
	}
	got, err := f.accept(content, r)
	return got, err == nil && got.Hash == r.Hash
}

func (f *Fetcher) keep(hash string, content []byte) {
	if f.Cache != "" {
		_ = atomicfile.Into(f.Cache, contentFile(hash), content, atomicfile.Plain)
	}
}

func contentFile(hash string) string { return "content/" + digest(hash) }

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
