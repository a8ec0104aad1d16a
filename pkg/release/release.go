package release

import (
	"fmt"
	"slices"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/version"
)

// A Release describes one Kubeflow release. It is read from <version>.yaml in this folder.
type Release struct {
	// Version is the name for --release: "1.2.0", "26.03".
	Version string `json:"version"`
	// Kubernetes is the tested range of versions and the last possible one.
	Kubernetes version.KubernetesRange `json:"kubernetes"`
	// Pipelines is the image tag of Deployment kubeflow/ml-pipeline, the release's fingerprint on a cluster.
	Pipelines string `json:"pipelines"`
	// SignIn is what authenticates users of the dashboard: none, authservice or oauth2-proxy.
	SignIn SignIn `json:"signIn"`
	// Source is the archive that holds the manifests; without a URL they are part of this program.
	Source Source `json:"source"`
	// KfDef is the path, in the archive, of the KfDef that lists the components. Empty from 1.3 on.
	KfDef string `json:"kfdef,omitempty"`
	// Kustomization is the folder, in the archive, whose resources are the components. Empty up to 1.2.
	Kustomization string `json:"kustomization,omitempty"`
	// Components are the parts, in order, with the names for --component and --skip.
	Components []Component `json:"components,omitempty"`
	// Remotes are the references to content outside the archive, each with its pin.
	Remotes []Source `json:"remotes,omitempty"`
	// Gone are its images that no registry serves anymore, the most specific first.
	Gone []GoneImage `json:"gone,omitempty"`
	// LeftOvers are objects of older releases that would conflict with this one, including those that
	// the files of older releases list.
	LeftOvers []LeftOver `json:"leftOvers,omitempty"`
	// Moves say what an upgrade from an older release does to users' data.
	Moves []Move `json:"moves,omitempty"`
	// Hidden leaves what is not a Kubeflow release (mini, the MPI operator) out of every list.
	Hidden bool `json:"hidden,omitempty"`
}

// A Source is one archive or file on the internet and the hash its content must have.
type Source struct {
	// URL is its address: https://github.com/OWNER/REPO/archive/refs/tags/TAG.tar.gz.
	URL string `json:"url"`
	// Also are other addresses of the same content: an older name of the repository, or a moving
	// branch for which this program uses the pinned tag.
	Also []string `json:"also,omitempty"`
	// Hash is the h1: directory hash over the files, named relative to the archive's top folder.
	Hash string `json:"hash,omitempty"`
}

// A Component is a named part of a release: one or more applications of its KfDef, or resources of its
// kustomization.
type Component struct {
	Name string   `json:"name"`
	From []string `json:"from,omitempty"`
	// Needs are the names of the components that this one requires: they contain its namespaces, its CRDs
	// or the servers that it calls. The order does not matter; the plan orders the objects.
	Needs []string `json:"needs,omitempty"`
	// Beside are folders of other components whose kustomize variables affect this one in a build of the
	// whole. They are included in the build, and their objects are left to their own component.
	Beside []string `json:"beside,omitempty"`
}

// A GoneImage is an image that can no longer be pulled, and its replacement.
type GoneImage struct {
	// Image is a repository ("gcr.io/ml-pipeline/mysql"), one tag of it ("mpioperator/mpi-operator:latest"),
	// or all below a prefix that ends in "/" ("gcr.io/ml-pipeline/").
	Image string `json:"image"`
	// Instead is the replacement. Without a tag it keeps the image's own; one that ends in "/" replaces
	// only the prefix. Empty means that no replacement is known.
	Instead string `json:"instead,omitempty"`
}

// A LeftOver is an object of older releases that conflicts with newer ones. If a newer release has an
// object of the same name, the object is recreated.
type LeftOver struct {
	// From is the first release that it conflicts with: releases older than From leave it behind.
	From       string `json:"from"`
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
	// Why says what fails while it exists, to end a sentence: "its role cannot be changed".
	Why string `json:"why"`
}

// A Move is data of users that an upgrade does not carry over by itself.
type Move struct {
	// From is the first release that keeps the data elsewhere: an upgrade from an older one leaves it behind.
	From string `json:"from"`
	// Component is the one whose data it is.
	Component string `json:"component"`
	// What says what happens, as a sentence.
	What string `json:"what"`
	// Next says how to keep the data, or how to go back.
	Next string `json:"next"`
}

// MovesFrom returns what an upgrade from an installed release to this one leaves behind.
func (r Release) MovesFrom(installed string) []Move {
	return slices.DeleteFunc(slices.Clone(r.Moves), func(m Move) bool { return !version.Older(installed, m.From) || version.Older(r.Version, m.From) })
}

// SignIn is the authentication of a release's dashboard.
type SignIn string

// The kinds of authentication in Kubeflow releases.
const (
	NoSignIn    SignIn = "none"         // every user is anonymous@kubeflow.org
	AuthService SignIn = "authservice"  // oidc-authservice with Dex
	OAuth2Proxy SignIn = "oauth2-proxy" // oauth2-proxy with Dex
)

// Installable reports whether this program can fetch and render the release; of the others it only
// knows the requirements and the fingerprint.
func (r Release) Installable() bool { return r.KfDef != "" || r.Kustomization != "" }

// Supports reports whether the release was tested on this Kubernetes minor ("1.35", "v1.35.4").
func (r Release) Supports(kubernetes string) bool { return r.Kubernetes.Tested(kubernetes) }

// String returns the release's name in messages: "Kubeflow 26.03".
func (r Release) String() string { return fmt.Sprintf("Kubeflow %s", r.Version) }
