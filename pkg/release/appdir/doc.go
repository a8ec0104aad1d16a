// Package appdir manages an application directory: the result of building a release, for users to
// review, edit and keep in version control, and for an install to start from.
//
// A Dir is such a directory in memory. Open reads it, Build renders a release into it, Save writes what changed,
// Render turns it (or several) into objects:
//
//	kubeflow.yaml                        Config: what was requested, and what is installed
//	kubeflow.lock                        Lock: hashes of its sources, and of each base
//	kustomize/NAME/base/                 a component as rendered; replaced by every build
//	kustomize/NAME/kustomization.yaml    the user's: written once, never again
//	rendered/NAME.yaml                   the built kustomization, to review
//
// A directory that kfctl created can be read too; it is never written.
package appdir
