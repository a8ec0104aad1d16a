package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
)

// A Request names content and, if known, its expected hash.
type Request struct {
	// URL is an http(s) or file: address, or a local path of a file or folder.
	URL string
	// Also are other addresses of the same content, tried in a mirror.
	Also []string
	// Within is the folder that a local path has to be in; empty for a path that the user named.
	Within string
	// Hash is the pin; empty if unknown.
	Hash string
}

// A Fetcher fetches content. Its zero value uses the internet and caches nothing.
type Fetcher struct {
	// Mirror is a folder or URL that holds content under its URL's host and path.
	Mirror string
	// Cache is the folder of the cache; empty disables it.
	Cache string
	// SkipVerify accepts content with any hash.
	SkipVerify bool
	// HTTP is the client; nil means one that honours the proxy environment.
	HTTP *http.Client
	// Retry says how often to retry and how long to wait; the zero value means the default.
	Retry Retry
	// Limits bound the size of content; the zero value is DefaultLimits.
	Limits Limits
	// Keep is called with the bytes of all accepted content, and its URL; it may be nil.
	Keep func(address string, content []byte)
	// Say is called with one line per download; it may be nil.
	Say func(line string)
	// Got is called while content is downloaded, with how many bytes have come of how many (-1 if unknown); it may be nil.
	Got func(address string, got, total int64)

	once sync.Once
	own  *http.Client
}

// Fetched is content with its hash.
type Fetched struct {
	*Archive
	Hash     string
	Verified bool
}

// Fetch fetches one archive or file, from the mirror, a local path, the cache or the internet.
func (f *Fetcher) Fetch(ctx context.Context, r Request) (*Fetched, error) {
	r.URL = Canonical(r.URL)
	if !IsURL(r.URL) {
		return f.local(ctx, r)
	}
	if f.Mirror != "" && !IsURL(f.Mirror) {
		return f.fromFolder(r)
	}
	return f.overNetwork(ctx, r)
}

// local reads a path or file: URL, which is the user's own and therefore has no pin.
func (f *Fetcher) local(ctx context.Context, r Request) (*Fetched, error) {
	name := LocalPath(r.URL)
	if r.Within != "" {
		return f.within(r, name)
	}
	if stat, err := os.Stat(name); err == nil && stat.IsDir() {
		root, err := os.OpenRoot(name)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", r.URL, err)
		}
		return f.folder(root, r)
	}
	content, err := bounded.File(ctx, name, f.limits().Download)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", r.URL, reason(err))
	}
	return f.accept(content, r)
}

// ErrOutside is the error for a local path that leads out of the folder that it has to be in.
var ErrOutside = errors.New("it is outside the folder of what refers to it")

// within reads a local path that has to be inside a folder, also through links.
func (f *Fetcher) within(r Request, name string) (*Fetched, error) {
	inside, err := filepath.Rel(r.Within, name)
	if err != nil || !filepath.IsLocal(inside) {
		return nil, fmt.Errorf("reading %s: %w", r.URL, ErrOutside)
	}
	root, err := os.OpenRoot(r.Within)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", r.URL, reason(err))
	}
	defer func() { _ = root.Close() }()
	stat, err := root.Stat(inside)
	if target, linked := os.Readlink(name); linked == nil && err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading %s, a link to %s: %w", r.URL, target, ErrOutside)
	}
	if err == nil && stat.IsDir() {
		below, err := root.OpenRoot(inside)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", r.URL, reason(err))
		}
		return f.folder(below, r)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", r.URL, reason(err))
	}
	content, err := bounded.Inside(root, inside, f.limits().Download)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", r.URL, reason(err))
	}
	return f.accept(content, r)
}

// reason leaves out the path and the operation, which the message has already.
func reason(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// LocalPath returns the path of a file: URL; other text is a path already.
func LocalPath(reference string) string {
	rest, isURL := strings.CutPrefix(reference, "file:")
	if !isURL {
		return reference
	}
	if strings.HasPrefix(rest, "//") {
		if u, err := url.Parse(reference); err == nil {
			return filepath.FromSlash(u.Path)
		}
	}
	return filepath.FromSlash(rest)
}

// folder reads the files of a folder, and closes it. Links are left out.
func (f *Fetcher) folder(root *os.Root, r Request) (*Fetched, error) {
	defer func() { _ = root.Close() }()
	a := &Archive{Files: map[string][]byte{}, Links: map[string]string{}}
	total := int64(0)
	err := fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		if len(a.Files) >= f.limits().Entries {
			return bad("%s holds more than %d files", root.Name(), f.limits().Entries)
		}
		a.Files[name], err = bounded.Inside(root, name, f.limits().File)
		if total += int64(len(a.Files[name])); total > f.limits().Total {
			return bad("%s holds more than %d MiB", root.Name(), f.limits().Total>>20)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", r.URL, err)
	}
	return f.check(a, r)
}

// fromFolder finds the URL, or another spelling of it, below the mirror folder.
func (f *Fetcher) fromFolder(r Request) (*Fetched, error) {
	mirror := LocalPath(f.Mirror)
	if stat, err := os.Stat(mirror); err != nil || !stat.IsDir() {
		return nil, &NotFoundError{URL: redact.URL(r.URL), Mirror: redact.URL(f.Mirror)}
	}
	var tried []string
	for _, address := range addresses(r) {
		place, ok := inMirror(address)
		if !ok {
			continue
		}
		content, err := bounded.In(mirror, filepath.FromSlash(place), f.limits().Download)
		if errors.Is(err, fs.ErrNotExist) {
			tried = append(tried, place)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading the mirror: %w", err)
		}
		return f.accept(content, r)
	}
	return nil, &NotFoundError{URL: r.URL, Mirror: f.Mirror, Tried: tried}
}

// addresses returns all spellings of all addresses of the content, the most likely first.
func addresses(r Request) []string {
	var out []string
	for _, name := range append([]string{r.URL}, r.Also...) {
		out = append(out, Spellings(name)...)
	}
	return out
}

func (f *Fetcher) accept(content []byte, r Request) (*Fetched, error) {
	a, err := Unpack(path.Base(strings.SplitN(r.URL, "?", 2)[0]), content, f.limits())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", redact.URL(r.URL), err)
	}
	got, err := f.check(a, r)
	if err == nil && f.Keep != nil {
		f.Keep(r.URL, content)
	}
	return got, err
}

func (f *Fetcher) check(a *Archive, r Request) (*Fetched, error) {
	got, err := a.Hash()
	if err != nil {
		return nil, fmt.Errorf("hashing %s: %w", redact.URL(r.URL), err)
	}
	verified := r.Hash != "" && got == r.Hash
	if r.Hash != "" && !verified && !f.SkipVerify {
		return nil, &MismatchError{URL: redact.URL(r.URL), Want: r.Hash, Got: got}
	}
	if !verified {
		err = bound(a)
	}
	return &Fetched{Archive: a, Hash: got, Verified: verified}, err
}

// bound checks the YAML of an archive that nobody vouches for, before it is parsed.
func bound(a *Archive) error {
	for name, content := range a.Files {
		switch ext := path.Ext(name); {
		case ext == ".yaml", ext == ".yml", ext == ".json", ext == "":
			if err := bounded.YAML(content); err != nil {
				return bad("%s cannot be used: %v", name, err)
			}
		}
	}
	return nil
}

func (f *Fetcher) limits() Limits {
	if f.Limits == (Limits{}) {
		return DefaultLimits
	}
	return f.Limits
}

func (f *Fetcher) say(format string, args ...any) {
	if f.Say != nil {
		f.Say(fmt.Sprintf(format, args...))
	}
}
