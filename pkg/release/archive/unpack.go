package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"path"
	"strings"
)

// Limits bound what an archive may hold, so that a hostile or broken one cannot fill the memory.
type Limits struct {
	Download int64 // bytes, as they come
	Total    int64 // bytes, unpacked
	File     int64 // bytes of one file
	Entries  int
}

// DefaultLimits leave ample room: Kubeflow's largest release has 7,500 files in 60 MB.
var DefaultLimits = Limits{Download: 256 << 20, Total: 768 << 20, File: 128 << 20, Entries: 100_000}

// Unpack reads a tar.gz or tar archive, or else takes content as the one file called name. Names that
// leave the archive, links that do, devices and anything beyond the limits are refused.
func Unpack(name string, content []byte, limits Limits) (*Archive, error) {
	stream, isTar, err := open(content)
	if err != nil {
		return nil, bad("the archive cannot be read: %v", err)
	}
	if !isTar {
		return single(name, content)
	}
	u := unpacking{limits: limits, out: &Archive{Files: map[string][]byte{}, Links: map[string]string{}}}
	if err := u.all(tar.NewReader(stream)); err != nil {
		return nil, err
	}
	if len(u.out.Files) == 0 {
		return nil, bad("the archive holds no files")
	}
	strip(u.out)
	return u.out, checkLinks(u.out)
}

// open looks at the first bytes: gzip, tar, or neither.
func open(content []byte) (stream io.Reader, isTar bool, err error) {
	if bytes.HasPrefix(content, []byte{0x1f, 0x8b}) {
		stream, err := gzip.NewReader(bytes.NewReader(content))
		return stream, true, err
	}
	const magicAt = 257
	isTar = len(content) > magicAt+5 && string(content[magicAt:magicAt+5]) == "ustar"
	return bytes.NewReader(content), isTar, nil
}

func single(name string, content []byte) (*Archive, error) {
	if bytes.HasPrefix(content, []byte("PK\x03\x04")) {
		return nil, bad("%s is a zip archive, which is not supported; a tar.gz is", name)
	}
	return &Archive{Files: map[string][]byte{name: content}, Single: name}, nil
}

type unpacking struct {
	limits  Limits
	total   int64
	entries int
	out     *Archive
}

func (u *unpacking) all(r *tar.Reader) error {
	for {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return bad("the archive is damaged: %v", err)
		}
		if u.entries++; u.entries > u.limits.Entries {
			return bad("the archive holds more than %d entries", u.limits.Entries)
		}
		if err := u.one(header, r); err != nil {
			return err
		}
	}
}

func (u *unpacking) one(header *tar.Header, r io.Reader) error {
	switch header.Typeflag {
	case tar.TypeXGlobalHeader, tar.TypeDir:
		return nil
	}
	name, err := inside(header.Name)
	if err != nil {
		return err
	}
	if _, twice := u.out.Files[name]; twice {
		return bad("the archive holds %s twice", name)
	}
	switch header.Typeflag {
	case tar.TypeReg:
		u.out.Files[name], err = u.read(name, header.Size, r)
		return err
	case tar.TypeSymlink:
		if path.IsAbs(header.Linkname) {
			return bad("the archive's link %s leads out of the archive, to %s", name, header.Linkname)
		}
		u.out.Links[name] = path.Join(path.Dir(name), header.Linkname)
		return nil
	default:
		return bad("the archive's entry %s is neither a file, a folder nor a link", name)
	}
}

func (u *unpacking) read(name string, size int64, r io.Reader) ([]byte, error) {
	if u.total += size; size > u.limits.File || u.total > u.limits.Total {
		return nil, bad("the archive is too large to be unpacked, at %s", name)
	}
	var content bytes.Buffer // not size at once: a header may promise what never comes
	if _, err := io.Copy(&content, io.LimitReader(r, size)); err != nil {
		return nil, bad("the archive is damaged at %s: %v", name, err)
	}
	return content.Bytes(), nil
}

// inside cleans an entry's name, and refuses one that leaves the archive.
func inside(name string) (string, error) {
	if path.IsAbs(name) || strings.ContainsAny(name, "\\\x00\n") || hasVolume(name) {
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

// hasVolume sees "C:…", which Windows would take for another drive.
func hasVolume(name string) bool { return len(name) > 1 && name[1] == ':' }

// strip takes off the folder that holds everything, where there is one.
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
			target = "../" + target // out of the top folder: checkLinks says so
		}
		links[strings.TrimPrefix(name, top+"/")] = strings.TrimPrefix(target, top+"/")
	}
	a.Files, a.Links = files, links
}

func checkLinks(a *Archive) error {
	for name, target := range a.Links {
		if target == ".." || strings.HasPrefix(target, "../") {
			return bad("the archive's link %s leads out of the archive", name)
		}
	}
	return nil
}
