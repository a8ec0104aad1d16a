package release

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/kustomization"
)

// A rendering is the state of one Render.
type rendering struct {
	options RenderOptions
	fetcher *archive.Fetcher
	tree    *kustomization.Tree

	mu         sync.Mutex
	out        Rendered
	kfdef      bool // kfctl's rules for namespaces apply
	namespaces bool // one of the KfDef's applications contains the namespaces
	fetched    map[string]*archive.Fetched
	fetching   sync.Mutex
}

// A part is one component before it is built: folders of the tree, or objects that exist already.
type part struct {
	name    string
	needs   []string // the names of the parts that it requires
	folders []string
	objects []*unstructured.Unstructured
	// tree contains the folders, if it is not the rendering's own.
	tree *kustomization.Tree
	// beside are folders whose objects are in the build but belong to other parts.
	beside []string
	// edited is the folder whose kustomization is the user's own, as the user names it; empty for others.
	edited string
	// instead is built if the folders cannot be.
	instead *part
	// fault is why the part cannot be built; it is an error only if the part is wanted.
	fault error
}

func newRendering(ctx context.Context, o RenderOptions) *rendering {
	r := &rendering{options: o, fetched: map[string]*archive.Fetched{}}
	cache := o.CacheDir
	if cache == "" {
		if user, err := os.UserCacheDir(); err == nil {
			cache = filepath.Join(user, "kubectl-kubeflow")
		}
	}
	r.fetcher = &archive.Fetcher{Mirror: o.Mirror, SkipVerify: o.SkipVerify, HTTP: o.HTTP, Say: r.say, Keep: r.keep, Got: o.Downloading}
	if cache != "" {
		r.fetcher.Cache = filepath.Join(cache, "archives")
	}
	r.tree = r.newTree(ctx)
	r.tree.Sealed = true // except for a kustomization on disk: see fromFolder
	return r
}

// newTree returns a file system for builds that fetches references to content outside of it.
func (r *rendering) newTree(ctx context.Context) *kustomization.Tree {
	return &kustomization.Tree{Fetch: func(remote kustomization.Remote) (*archive.Archive, error) {
		r.fetching.Lock() // concurrent builds may have the same reference
		defer r.fetching.Unlock()
		return r.fetch(ctx, remote.URL)
	}}
}

func (r *rendering) say(line string) {
	if r.options.Progress == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.options.Progress(line)
}

// built reports a component that was built.
func (r *rendering) built(component string, objects int) {
	if r.options.Built == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.options.Built(component, objects)
}

func (r *rendering) keep(address string, content []byte) {
	if r.options.Keep == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.options.Keep(address, content)
}

// fetch fetches an archive or a file once, and records its pin and the warnings about it.
func (r *rendering) fetch(ctx context.Context, address string) (*archive.Archive, error) {
	return r.fetchWithin(ctx, address, "")
}

// fetchWithin is fetch for an address that may be a local path, inside a folder.
func (r *rendering) fetchWithin(ctx context.Context, address, within string) (*archive.Archive, error) {
	request, warning := request(address)
	request.Within = within
	locked, err := r.lock(&request)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	have := r.fetched[request.URL]
	r.mu.Unlock()
	if have != nil {
		return have.Archive, nil
	}
	got, err := r.fetcher.Fetch(ctx, request)
	if err != nil {
		return nil, changed(err, locked)
	}
	got.Verified = got.Verified && !locked
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fetched[request.URL] = got
	r.out.Pins = append(r.out.Pins, Pin{URL: redact.URL(request.URL), Hash: got.Hash, Verified: got.Verified})
	r.warn(warning)
	switch {
	case !archive.IsURL(request.URL) || got.Verified || locked && !r.options.SkipVerify:
	case r.options.SkipVerify:
		r.warn("what was fetched was not compared with its pinned hashes, as --skip-verify asks")
	default:
		r.warn(fmt.Sprintf("no hash is known for %s; it was not verified; its hash is %s", redact.URL(request.URL), got.Hash))
	}
	return got.Archive, nil
}

// warn records a warning once. The caller holds the lock.
func (r *rendering) warn(sentence string) {
	if sentence != "" && !slices.Contains(r.out.Warnings, sentence) {
		r.out.Warnings = append(r.out.Warnings, sentence)
	}
}
