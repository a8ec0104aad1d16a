package release

import (
	"context"
	"io"
	"net/http"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// An Input is what to render: a release by name, a file, or directories. Exactly one of them is set.
type Input struct {
	// Release is a version that Find knows, or a tag of Kubeflow's manifests.
	Release string
	// File is a KfDef, a kustomization folder, rendered YAML (a file or a folder), the URL of one, or "-".
	File string
	// Stdin is read when File is "-".
	Stdin io.Reader
	// Directories are application directories whose components are joined.
	Directories []Directory
}

// RenderOptions say where archives come from and which components are wanted. The zero value downloads
// everything from the internet, verifies it and caches it in the user's cache folder.
type RenderOptions struct {
	// Mirror is a folder or a URL that holds archives under their URL's host and path.
	Mirror string
	// Unrestricted lets a kustomization and a KfDef on disk read files outside their folder.
	Unrestricted bool
	// SkipVerify does not compare archives with their pinned hashes.
	SkipVerify bool
	// CacheDir is where archives are cached; empty means os.UserCacheDir()/kubectl-kubeflow.
	CacheDir string
	// Only and Skip choose components by name; an unknown name is an error that lists the known ones.
	// Only includes what the components need, unless Skip names it.
	Only, Skip []string
	// HTTP fetches archives; nil means a client that honours the proxy environment.
	HTTP *http.Client
	// Locked are the hashes that addresses had before, for those without a pin in this program.
	Locked map[string]string
	// OnlyLocked rejects what is neither pinned nor locked.
	OnlyLocked bool
	// Broken is called for each component that cannot be built, which is then left out. Nil stops at the first.
	Broken func(component string, err error)
	// Keep is called with the bytes of each archive and file that is fetched, and its URL. It may be nil.
	Keep func(address string, content []byte)
	// Progress is called with one line for each archive fetched, and Built with each component built and how many objects it has.
	// They may be called from several goroutines, but never concurrently. They may be nil.
	Progress func(line string)
	Built    func(component string, objects int)
	// Downloading is called while a file is downloaded: how many bytes have come, and of how many (-1 if unknown). It may be called
	// from several goroutines, and may be nil.
	Downloading func(address string, got, total int64)
}

// Rendered is a release, or a file, as Kubernetes objects.
type Rendered struct {
	// Release is the release, recognised by its source or by its ml-pipeline image; nil if unknown.
	Release *Release
	// Namespace is the namespace for objects without one; empty if the input does not define it.
	Namespace string
	// Pins are the archives and files that were read, with the hash found in each.
	Pins []Pin
	// Components hold the objects, in the order of the release.
	Components []RenderedComponent
	// Partial says that only some components were requested: an install applies only Components, and
	// keeps everything else of an earlier install, on the cluster and in the inventory.
	Partial bool
	// Skipped are the components that were explicitly left out. Even if the render is Partial, an install
	// deletes what an earlier install applied of them.
	Skipped []string
	// Notes are sentences about decisions: which components are included because others need them.
	Notes []string
	// Warnings are sentences the user should read: what was not verified, what was replaced.
	Warnings []string
}

// A RenderedComponent is one component's objects.
type RenderedComponent struct {
	Name    string
	Objects []*unstructured.Unstructured
}

// A Pin records a source of an install, so that the install can be repeated.
type Pin struct {
	URL  string `json:"url"`
	Hash string `json:"hash"`
	// Verified says that Hash was compared with the one in this program.
	Verified bool `json:"verified"`
}

// Objects returns all objects of all components, in order.
func (r *Rendered) Objects() []*unstructured.Unstructured {
	var all []*unstructured.Unstructured
	for _, c := range r.Components {
		all = append(all, c.Objects...)
	}
	return all
}

// Render renders an Input into objects. It reads files and the network, and writes only the cache. An
// error in the user's input is a *problem.Error for usage.
func Render(ctx context.Context, in Input, o RenderOptions) (*Rendered, error) {
	r := newRendering(ctx, o)
	parts, err := r.parts(ctx, in)
	var chosen choice
	if err == nil {
		chosen, err = choose(parts, o.Only, o.Skip)
	}
	if err == nil {
		r.note(chosen)
		r.out.Components, err = r.build(ctx, chosen.parts)
	}
	if err != nil {
		return nil, plain(err, o)
	}
	if r.kfdef {
		if !r.namespaceLeftOut(o) {
			r.out.Components = ownNamespace(r.out.Components, r.out.Namespace)
		}
	}
	setNamespaces(r.out.Components, r.out.Namespace)
	if err := r.checkNames(ctx, chosen.parts); err != nil {
		return nil, err
	}
	if r.out.Release == nil {
		r.out.Release = recognise(r.out.Components)
	}
	return &r.out, nil
}

// note records the consequences of the choice of components.
func (r *rendering) note(c choice) {
	r.out.Partial, r.out.Skipped = len(r.options.Only) > 0, r.options.Skip
	r.out.Notes = append(r.out.Notes, c.notes...)
	r.out.Warnings = append(r.out.Warnings, c.warnings...)
}

// namespaceLeftOut reports whether only some components were requested and the KfDef has one for its
// namespaces: a Namespace that this package adds would then remove the labels that component sets.
func (r *rendering) namespaceLeftOut(o RenderOptions) bool {
	return r.namespaces && len(o.Only)+len(o.Skip) > 0
}

func (r *rendering) parts(ctx context.Context, in Input) ([]part, error) {
	switch {
	case len(in.Directories) > 0:
		return r.fromDirectories(ctx, in.Directories)
	case in.File != "":
		return r.fromFile(ctx, in)
	}
	release, err := r.lookUp(ctx, in.Release)
	if err != nil {
		return nil, err
	}
	return r.fromRelease(ctx, release)
}
