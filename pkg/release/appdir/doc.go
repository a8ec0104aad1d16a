// Package appdir keeps an application directory: what a build makes of a release, for a person to
// look at, edit and keep in version control, and for an install to start from.
//
// A Dir is one in memory. Open reads it, Build renders a release into it, Save writes what changed,
// Render turns it (or several) into objects:
//
//	kubeflow.yaml                        Config: what was asked for, and what is installed
//	kubeflow.lock                        Lock: hashes of what it was made from, and of each base
//	kustomize/NAME/base/                 a component as rendered; replaced by every build
//	kustomize/NAME/kustomization.yaml    the user's: written once, never again
//	rendered/NAME.yaml                   what the kustomization builds to, to look at
//
// A directory made by kfctl is read too, and never written.
package appdir
