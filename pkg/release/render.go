package release

import (
	"context"
	"io"
	"net/http"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// An Input is what a user asks for: a release by name, a file, or directories. Exactly one of them is set.
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

// RenderOptions say where archives come from and which components are wanted. The zero value takes
// everything from the internet, verifies it and keeps it in the user's cache folder.
type RenderOptions struct {
	// Mirror is a folder or a URL that holds archives under their URL's host and path.
	Mirror string
	// SkipVerify does not compare archives with their pinned hashes.
	SkipVerify bool
	// CacheDir is where archives and renders are kept; empty means os.UserCacheDir()/kubectl-kubeflow.
	CacheDir string
	// Only and Skip choose components by name; an unknown name is an error that lists the known ones.
	// Only takes along what the components need; Skip leaves out even that.
	Only, Skip []string
	// HTTP fetches archives; nil means a client that honours the proxy environment.
	HTTP *http.Client
	// Locked are the hashes that addresses had before, for those that this program knows no pin of.
	Locked map[string]string
	// OnlyLocked refuses what is neither pinned nor locked.
	OnlyLocked bool
	// Broken hears of each component that cannot be built, which is then left out. Nil stops at the first.
	Broken func(component string, err error)
	// Keep is given the bytes of each archive and file that is fetched, by its URL. Nil means nobody.
	Keep func(address string, content []byte)
	// Progress hears one line for each archive fetched and component built. It may be called from
	// several goroutines, but never at once. Nil means silence.
	Progress func(line string)
}

// Rendered is a release, or a file, as Kubernetes objects.
type Rendered struct {
	// Release is the known release this is, by its source or by its ml-pipeline image; nil when neither is known.
	Release *Release
	// Namespace is where objects without one belong; empty when the input does not say.
	Namespace string
	// Pins are the archives and files that were read, with the hash found in each.
	Pins []Pin
	// Components hold the objects, in the order of the release.
	Components []RenderedComponent
	// Partial says that only some components were asked for: those of Components are all there is to do,
	// and whatever else an earlier install put on the cluster stays there and stays recorded.
	Partial bool
	// Skipped are the components that were expressly left out. They are not wanted on the cluster, also
	// when the render is Partial: what an earlier install has of them goes.
	Skipped []string
	// Notes are sentences about what was decided: which components come along because others need them.
	Notes []string
	// Warnings are sentences the user should read: what was not verified, what was taken instead of what.
	Warnings []string
}

// A RenderedComponent is one component's objects.
type RenderedComponent struct {
	Name    string
	Objects []*unstructured.Unstructured
}

// A Pin records what an install was made from, so that it can be repeated.
type Pin struct {
	URL  string `json:"url"`
	Hash string `json:"hash"`
	// Verified says that Hash was compared with the one this program carries.
	Verified bool `json:"verified"`
}

// Objects are all objects of all components, in order.
func (r *Rendered) Objects() []*unstructured.Unstructured {
	var all []*unstructured.Unstructured
	for _, c := range r.Components {
		all = append(all, c.Objects...)
	}
	return all
}

// Render turns what the user asked for into objects. It reads files and the network, and writes
// nothing but the cache. A fault in what the user gave is a *problem.Error for usage.
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
	settle(r.out.Components, r.out.Namespace)
	if r.out.Release == nil {
		r.out.Release = recognise(r.out.Components)
	}
	return &r.out, nil
}

// note takes down what the choice of components means.
func (r *rendering) note(c choice) {
	r.out.Partial, r.out.Skipped = len(r.options.Only) > 0, r.options.Skip
	r.out.Notes = append(r.out.Notes, c.notes...)
	r.out.Warnings = append(r.out.Warnings, c.warnings...)
}

// namespaceLeftOut reports whether the user asked for some components only and the KfDef has one for
// its namespaces: a Namespace of our own would then take off the labels that one puts on.
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
