package release

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
)

// known finds the pinned source of a URL, in any spelling, and the release whose archive it is, if any.
func known(address string) (Source, *Release, bool) {
	for _, r := range load() {
		if r.Source.is(address) {
			return r.Source, &r, true
		}
		for _, remote := range r.Remotes {
			if remote.is(address) {
				return remote, nil, true
			}
		}
	}
	return Source{}, nil, false
}

func (s Source) is(address string) bool {
	return slices.ContainsFunc(append([]string{s.URL}, s.Also...), func(name string) bool {
		return name != "" && archive.Same(name, address)
	})
}

// request returns how to fetch a URL: as its pinned source if one is known. The warning says what is
// fetched instead, or that the URL is unknown.
func request(address string) (r archive.Request, warning string) {
	address = archive.Canonical(address)
	source, release, ok := known(address)
	if !ok {
		return archive.Request{URL: address}, ""
	}
	if release != nil && path.Base(source.URL) != path.Base(address) {
		warning = fmt.Sprintf("%s can change its content; the archive of %s is taken instead", address, release)
	}
	return archive.Request{URL: source.URL, Also: source.Also, Hash: source.Hash}, warning
}

// raw splits the address of a file in a GitHub repository into the archive that contains it and its path
// there. It supports raw.githubusercontent.com and the address of the page in a browser.
func raw(address string) (archiveURL, file string, ok bool) {
	u, err := url.Parse(address)
	if err != nil {
		return "", "", false
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	switch {
	case u.Host == "github.com" && len(parts) > 4 && (parts[2] == "blob" || parts[2] == "raw"):
		parts = slices.Delete(parts, 2, 3)
	case u.Host != "raw.githubusercontent.com":
		return "", "", false
	}
	if len(parts) > 5 && parts[2] == "refs" { // refs/tags/v1.2.0/kfdef/…
		parts = slices.Delete(parts, 2, 4)
	}
	if len(parts) < 4 {
		return "", "", false
	}
	return "https://github.com/" + parts[0] + "/" + parts[1] + "/archive/" + parts[2] + ".tar.gz", path.Join(parts[3:]...), true
}
