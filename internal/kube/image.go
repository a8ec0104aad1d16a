package kube

import "github.com/distribution/reference"

// An Image is a reference to a container image, in its parts.
type Image struct {
	Repository string // as it is written: "busybox", "registry.example.com:5000/team/app"
	Tag        string // "latest" where neither a tag nor a digest is given, "" where only a digest is
	Digest     string // with its algorithm: "sha256:…"
}

// ParseImage takes a reference to an image apart. What is none, such as a template's placeholder, is returned as the
// repository, without a tag.
func ParseImage(image string) Image {
	parsed, err := reference.Parse(image)
	named, isNamed := parsed.(reference.Named)
	if err != nil || !isNamed {
		return Image{Repository: image}
	}
	out := Image{Repository: named.Name()}
	if tagged, ok := named.(reference.Tagged); ok {
		out.Tag = tagged.Tag()
	}
	if digested, ok := named.(reference.Digested); ok {
		out.Digest = digested.Digest().String()
	}
	if out.Tag == "" && out.Digest == "" {
		out.Tag = "latest"
	}
	return out
}
