package archive

import (
	"net/url"
	"path"
	"strings"
)

// Spellings returns the addresses that serve the content of a URL: GitHub serves an archive as
// /archive/REF.tar.gz and as /archive/refs/tags/REF.tar.gz, and mirrors keep one or the other.
func Spellings(raw string) []string {
	before, ref, found := strings.Cut(raw, "/archive/")
	if !found || !strings.Contains(raw, "://github.com/") {
		return []string{raw}
	}
	plain := strings.TrimPrefix(strings.TrimPrefix(ref, "refs/tags/"), "refs/heads/")
	out := []string{raw}
	for _, form := range []string{"refs/tags/", "", "refs/heads/"} {
		if spelled := before + "/archive/" + form + plain; spelled != raw {
			out = append(out, spelled)
		}
	}
	return out
}

// Same reports whether two URLs are spellings of one.
func Same(a, b string) bool {
	for _, spelled := range Spellings(a) {
		if spelled == b {
			return true
		}
	}
	return false
}

// Canonical removes go-getter's archive= and checksum= options, which are not part of the address.
func Canonical(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	query := u.Query()
	query.Del("archive")
	query.Del("checksum")
	u.RawQuery = query.Encode()
	return u.String()
}

// inMirror returns a URL's path below a mirror: its host and path.
func inMirror(raw string) (string, bool) {
	u, err := url.Parse(raw)
	if err != nil || strings.Trim(u.Host, ".") == "" {
		return "", false
	}
	return strings.TrimPrefix(path.Join(u.Host, path.Clean("/"+u.Path)), "/"), true
}

// IsURL reports whether a reference needs the network.
func IsURL(reference string) bool {
	return strings.HasPrefix(reference, "https://") || strings.HasPrefix(reference, "http://")
}
