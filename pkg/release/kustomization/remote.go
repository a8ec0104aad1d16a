package kustomization

import (
	"bytes"
	"fmt"
	"net/url"
	"path"
	"strings"
)

// A Remote is a parsed reference of a kustomization to remote content.
type Remote struct {
	// URL is the archive or the file to fetch.
	URL string
	// Path is the folder inside the archive; empty for a file.
	Path string
}

// A ReferenceError is returned when a kustomization's reference cannot be followed.
type ReferenceError struct {
	Reference, File string
	// Fetched says that the reference is valid and its content could not be fetched.
	Fetched bool
	Err     error
}

// Error returns a message with the file and the reference.
func (e *ReferenceError) Error() string {
	return fmt.Sprintf("%s refers to %s: %v", e.File, e.Reference, e.Err)
}

// Unwrap returns the cause.
func (e *ReferenceError) Unwrap() error { return e.Err }

// ParseRemote parses a reference as kustomize would, if it refers to remote content: a file by
// URL, or a folder of a GitHub repository at a tag, a branch or a commit. ok is false for a local path.
func ParseRemote(reference string) (remote Remote, ok bool, err error) {
	if !looksRemote(reference) {
		return Remote{}, false, nil
	}
	u, err := url.Parse(plainURL(reference))
	if err != nil || u.Host == "" {
		return Remote{}, true, fmt.Errorf("this is not an address that can be understood")
	}
	if isFile(u) && u.Scheme != "https" && u.Scheme != "http" {
		return Remote{}, true, fmt.Errorf("nothing can be fetched over %s://", u.Scheme)
	}
	if isFile(u) {
		return Remote{URL: u.String()}, true, nil
	}
	if u.Host != "github.com" {
		return Remote{}, true, fmt.Errorf("only folders on github.com can be fetched without git")
	}
	return folderOn(u)
}

// looksRemote reports whether kustomize would treat a reference as remote.
func looksRemote(reference string) bool {
	if strings.ContainsAny(reference, "\n{") {
		return false // YAML instead of a path
	}
	for _, start := range []string{"git::", "git@", "github.com/", "github.com:", "gh:", "org-"} {
		if strings.HasPrefix(reference, start) {
			return start != "org-" || strings.Contains(reference, "@github.com:")
		}
	}
	return strings.Contains(reference, "://")
}

// plainURL converts the different spellings of a repository into one URL.
func plainURL(reference string) string {
	r := strings.TrimPrefix(reference, "git::")
	for _, scheme := range []string{"ssh://", "git://"} {
		r = strings.TrimPrefix(r, scheme)
	}
	if at := strings.Index(r, "@github.com"); at >= 0 && !strings.HasPrefix(r, "http") {
		r = r[at+1:]
	}
	if rest, ok := strings.CutPrefix(r, "gh:"); ok {
		r = "github.com/" + rest
	}
	r = strings.Replace(r, "github.com:", "github.com/", 1)
	if !strings.Contains(r, "://") {
		r = "https://" + r
	}
	return r
}

// isFile distinguishes a file, which is used as it is, from a repository's folder.
func isFile(u *url.URL) bool {
	switch path.Ext(u.Path) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return u.Host == "raw.githubusercontent.com" || strings.Contains(u.Path, "/releases/download/")
}

// folderOn parses https://github.com/OWNER/REPO[.git][/]/FOLDER?ref=REF.
func folderOn(u *url.URL) (Remote, bool, error) {
	parts := strings.SplitN(strings.Trim(strings.ReplaceAll(u.Path, "//", "/"), "/"), "/", 3)
	if len(parts) < 2 {
		return Remote{}, true, fmt.Errorf("it names no repository")
	}
	folder := ""
	if len(parts) == 3 {
		folder = path.Clean(strings.TrimLeft(parts[2], "/"))
	}
	if folder == ".." || strings.HasPrefix(folder, "../") {
		return Remote{}, true, fmt.Errorf("its folder leads out of the repository")
	}
	ref := u.Query().Get("ref")
	if ref == "" {
		ref = u.Query().Get("version")
	}
	for _, name := range []string{parts[0], parts[1], ref} {
		if strings.ContainsFunc(name, odd) || strings.Contains(name, "..") {
			return Remote{}, true, fmt.Errorf("%q is no name of a repository, a tag or a branch", name)
		}
	}
	base := "https://github.com/" + parts[0] + "/" + strings.TrimSuffix(parts[1], ".git") + "/archive/"
	if ref == "" {
		return Remote{URL: base + "HEAD.tar.gz", Path: folder}, true, nil
	}
	return Remote{URL: base + ref + ".tar.gz", Path: folder}, true, nil
}

// odd matches the characters that are not accepted in names of repositories, tags and branches.
func odd(r rune) bool {
	return r > '~' || !strings.ContainsRune("./_+@-", r) && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

// mayRefer is a fast check that avoids parsing most kustomizations.
func mayRefer(content []byte) bool {
	for _, sign := range []string{"://", "git@", "git::", "github.com", "gh:"} {
		if bytes.Contains(content, []byte(sign)) {
			return true
		}
	}
	return false
}
