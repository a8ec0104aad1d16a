package archive

import (
	"iter"
	"maps"
	"path"
	"strings"
)

// inside cleans an entry's name, and rejects one that leaves the archive.
func inside(name string) (string, error) {
	if path.IsAbs(name) || strings.ContainsFunc(name, unprintable) || hasVolume(name) {
		return "", bad("the archive's entry %q is not a plain relative name", name)
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return "", bad("the archive's entry %q leads out of the archive", name)
		}
	}
	clean := path.Clean(name)
	if clean == "." {
		return "", bad("the archive holds a file without a name")
	}
	return clean, nil
}

// unprintable are the characters that no manifest's name has: control characters, which a terminal would
// interpret, and the backslash, which Windows treats as a separator.
func unprintable(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }

// hasVolume reports "C:…", which Windows would treat as a drive.
func hasVolume(name string) bool { return len(name) > 1 && name[1] == ':' }

// strip removes the top folder, if there is a single one.
func strip(a *Archive) {
	top := ""
	for name := range a.Files {
		first, _, nested := strings.Cut(name, "/")
		if !nested || top != "" && first != top {
			return
		}
		top = first
	}
	files, links := map[string][]byte{}, map[string]string{}
	for name, content := range a.Files {
		files[strings.TrimPrefix(name, top+"/")] = content
	}
	for name, target := range a.Links {
		if !strings.HasPrefix(name, top+"/") {
			return
		}
		if target != top && !strings.HasPrefix(target, top+"/") {
			target = "../" + target // outside the top folder: checkLinks reports it
		}
		links[strings.TrimPrefix(name, top+"/")] = path.Clean(strings.TrimPrefix(strings.TrimPrefix(target, top), "/"))
	}
	a.Files, a.Links = files, links
}

// checkFolders rejects a name that is both a file or link and a folder.
func checkFolders(a *Archive) error {
	folders := map[string]bool{}
	for _, names := range []iter.Seq[string]{maps.Keys(a.Files), maps.Keys(a.Links)} {
		for name := range names {
			for folder := path.Dir(name); folder != "." && !folders[folder]; folder = path.Dir(folder) {
				folders[folder] = true
			}
		}
	}
	for folder := range folders {
		if a.Files[folder] != nil || a.Links[folder] != "" {
			return bad("the archive holds %s both as a folder and as something else", folder)
		}
	}
	return nil
}

func checkLinks(a *Archive) error {
	for name, target := range a.Links {
		if target == ".." || strings.HasPrefix(target, "../") {
			return bad("the archive's link %s leads out of the archive", name)
		}
	}
	return nil
}
