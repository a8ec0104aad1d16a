package release

import (
	"context"
	"errors"
	"fmt"
	"path"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/kfdef"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/kustomization"
)

// A Directory is an application directory, read into memory: kustomizations that a user may have
// edited. Its builds can read only its own files.
type Directory struct {
	// Path is its name in messages.
	Path string
	// Files are its files, by relative path.
	Files *archive.Archive
	// KfDef is kfctl's configuration among the files, of a directory that kfctl made; the fields below are then empty.
	KfDef string
	// Components are built in this order, each from its folders among the files.
	Components []Component
	// Release is what was built into it, and Namespace the one for objects without a namespace; empty if unknown.
	Release, Namespace string
	// Pins are what it was made from.
	Pins []Pin
}

// fromDirectories joins the components of several directories.
func (r *rendering) fromDirectories(ctx context.Context, all []Directory) ([]part, error) {
	var parts []part
	owner := map[string]string{}
	for _, d := range all {
		namespace := r.out.Namespace
		found, err := r.fromDirectory(ctx, d)
		if err != nil {
			return nil, err
		}
		if namespace != "" && r.out.Namespace != namespace {
			return nil, &problem.Error{Usage: true, What: fmt.Sprintf("%s is for namespace %s, and %s for %s", all[0].Path, namespace, d.Path, r.out.Namespace),
				Next: "Install them one after the other, each with a --name of its own"}
		}
		for _, p := range found {
			if other, twice := owner[p.name]; twice {
				return nil, &problem.Error{Usage: true, What: fmt.Sprintf("component %s is in %s and in %s", p.name, other, d.Path),
					Next: "Leave it in one of them, or install them one after the other, each with a --name of its own"}
			}
			owner[p.name] = d.Path
		}
		parts = append(parts, found...)
	}
	return parts, nil
}

func (r *rendering) fromDirectory(ctx context.Context, d Directory) ([]part, error) {
	if d.KfDef != "" {
		return r.fromKfctl(ctx, d)
	}
	for _, pin := range d.Pins {
		source, _, _ := known(pin.URL)
		pin.Verified = source.Hash != "" && source.Hash == pin.Hash
		r.out.Pins = append(r.out.Pins, pin)
	}
	if d.Namespace != "" {
		r.out.Namespace = d.Namespace
	}
	if release, err := Find(d.Release); err == nil && d.Release != "" {
		r.out.Release = &release
	}
	var parts []part
	for _, component := range d.Components {
		p := part{name: component.Name, tree: r.sealed(ctx)}
		mounted := p.tree.Mount("directory", d.Files)
		for _, from := range component.From {
			p.edited = path.Join(d.Path, kustomizeFolder, component.Name)
			if kfdef.KustomizationIn(d.Files, from) == "" {
				p.fault = &problem.Error{Usage: true, What: fmt.Sprintf("%s has no kustomization.yaml for component %s", path.Join(d.Path, from), component.Name),
					Next: "Put one there, or take the component out of the directory's configuration"}
			}
			p.folders = append(p.folders, path.Join(mounted, from))
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// sealed returns a separate file system for one component, so that its errors do not affect others.
func (r *rendering) sealed(ctx context.Context) *kustomization.Tree {
	tree := r.newTree(ctx)
	tree.Sealed = true
	return tree
}

// An EditError is an error in a kustomization that a user edited.
type EditError struct{ Reason string }

// Error returns the reason.
func (e *EditError) Error() string { return e.Reason }

// users turns an error of a kustomization that a user may have edited into a usage error. Other errors
// (a file that cannot be fetched, an interrupt) are returned unchanged.
func (p part) users(err error) error {
	var reference *kustomization.ReferenceError
	var fault *kustomization.FaultError
	var build *kustomization.BuildError
	reason, do := "", "Correct its kustomization.yaml, then run the same command again"
	switch {
	case err == nil || p.edited == "":
		return err
	case errors.As(err, &reference) && !reference.Fetched:
		reason = fmt.Sprintf("it refers to %s: %v", reference.Reference, reference.Err)
	case errors.As(err, &fault):
		reason, do = fault.Error(), fault.Next
	case errors.As(err, &build):
		reason = build.Why
	default:
		return err
	}
	return &problem.Error{Usage: true, What: p.edited + " cannot be built", Err: &EditError{reason}, Next: do}
}
