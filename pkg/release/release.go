package release

import (
	"fmt"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/version"
)

// A Release is what is known of one Kubeflow release. It is read from <version>.yaml in this folder.
type Release struct {
	// Version is the name people type: "1.2.0", "26.03".
	Version string `json:"version"`
	// Kubernetes is what the release was tested on and how far it can go.
	Kubernetes version.KubernetesRange `json:"kubernetes"`
	// Pipelines is the image tag of Deployment kubeflow/ml-pipeline, the release's fingerprint on a cluster.
	Pipelines string `json:"pipelines"`
	// SignIn names what guards the dashboard: none, authservice or oauth2-proxy.
	SignIn SignIn `json:"signIn"`
	// Source is the archive that holds the manifests; without a URL they are part of this program.
	Source Source `json:"source"`
	// KfDef is the path, in the archive, of the KfDef that lists the components. Empty from 1.3 on.
	KfDef string `json:"kfdef,omitempty"`
	// Kustomization is the folder, in the archive, whose resources are the components. Empty up to 1.2.
	Kustomization string `json:"kustomization,omitempty"`
	// Components are the parts, in order, under the names that --component and --skip take.
	Components []Component `json:"components,omitempty"`
	// Remotes are the references out of the archive that a render meets, each with its pin.
	Remotes []Source `json:"remotes,omitempty"`
	// Gone are the images it names that no registry serves any more, the most particular first.
	Gone []GoneImage `json:"gone,omitempty"`
	// LeftOvers are objects that older releases leave behind and that would stand in this one's way.
	// What the file of an older release lists is in it too.
	LeftOvers []LeftOver `json:"leftOvers,omitempty"`
	// Hidden keeps what is no Kubeflow release (mini, the MPI operator) out of every list.
	Hidden bool `json:"hidden,omitempty"`
}

// A Source is one archive or file on the internet and the hash its content must have.
type Source struct {
	// URL is where it is: https://github.com/OWNER/REPO/archive/refs/tags/TAG.tar.gz.
	URL string `json:"url"`
	// Also are other addresses of the same content: an older name of the repository, or a moving
	// branch that this program answers with the pinned tag.
	Also []string `json:"also,omitempty"`
	// Hash is the h1: directory hash over the files, named relative to the archive's top folder.
	Hash string `json:"hash,omitempty"`
}

// A Component is a named part of a release: the applications of its KfDef, or the resources of its
// kustomization, that people think of as one thing.
type Component struct {
	Name string   `json:"name"`
	From []string `json:"from,omitempty"`
	// Needs are the names of the components that this one cannot do without: who makes its namespaces,
	// defines its kinds or runs what it talks to. They need no order here; the objects say that themselves.
	Needs []string `json:"needs,omitempty"`
	// Beside are folders of other components whose kustomize variables reach into this one when all
	// is built at once. They are built along, and their objects left to the component they belong to.
	Beside []string `json:"beside,omitempty"`
}

// A GoneImage is an image that can no longer be pulled, and what does the same.
type GoneImage struct {
	// Image is a repository ("gcr.io/ml-pipeline/mysql"), one tag of it ("mpioperator/mpi-operator:latest"),
	// or all below a prefix that ends in "/" ("gcr.io/ml-pipeline/").
	Image string `json:"image"`
	// Instead is what takes its place. Without a tag it keeps the image's own; one that ends in "/" takes
	// the place of the prefix alone. Empty means that nothing is known to replace it.
	Instead string `json:"instead,omitempty"`
}

// A LeftOver is an object as older releases made it that stands in a newer one's way. A newer release
// may have an object of the same name: then it must be made anew.
type LeftOver struct {
	// From is the first release that it disturbs: releases older than From leave it behind.
	From       string `json:"from"`
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
	// Why says what goes wrong while it is there, to end a sentence: "its role cannot be changed".
	Why string `json:"why"`
}

// SignIn says what stands between a visitor and the dashboard.
type SignIn string

// The ways Kubeflow releases sign people in.
const (
	NoSignIn    SignIn = "none"         // every visitor is anonymous@kubeflow.org
	AuthService SignIn = "authservice"  // oidc-authservice with Dex
	OAuth2Proxy SignIn = "oauth2-proxy" // oauth2-proxy with Dex
)

// Installable reports whether this program can fetch and render the release; of the others it only
// knows what they need and how to recognise them.
func (r Release) Installable() bool { return r.KfDef != "" || r.Kustomization != "" }

// Supports reports whether the release was tested on this Kubernetes minor ("1.35", "v1.35.4").
func (r Release) Supports(kubernetes string) bool { return r.Kubernetes.Tested(kubernetes) }

// String is how a message names the release: "Kubeflow 26.03".
func (r Release) String() string { return fmt.Sprintf("Kubeflow %s", r.Version) }
