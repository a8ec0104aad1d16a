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

// Unpack reads a tar.gz or tar archive, or else treats content as a single file with that name. It rejects
// names and links that leave the archive, devices and anything beyond the limits. Nothing is written to
// disk, so names that differ only in case stay two files.
func Unpack(name string, content []byte, limits Limits) (*Archive, error) {
	stream, isTar, err := open(content)
	if err != nil {
		return nil, bad("the archive cannot be read: %v", err)
	}
	if !isTar {
		return single(name, content)
	}
	u := unpacking{limits: limits, most: limits.most(len(content)), out: &Archive{Files: map[string][]byte{}, Links: map[string]string{}}}
	if err := u.all(tar.NewReader(&measured{stream, u.most + limits.headers()})); err != nil {
		return nil, err
	}
	if len(u.out.Files) == 0 {
		return nil, bad("the archive holds no files")
	}
	strip(u.out)
	return u.out, errors.Join(checkLinks(u.out), checkFolders(u.out))
}

// open detects the format from the first bytes: gzip, tar, or neither.
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
	switch {
	case bytes.HasPrefix(content, []byte("PK\x03\x04")):
		return nil, bad("it is a zip archive, which is not supported (a tar.gz is)")
	case IsPage(content):
		return nil, bad("it is a web page, perhaps one to sign in on")
	case len(content) == 0:
		return nil, bad("there is nothing in it")
	case IsArchiveName(name):
		return nil, bad("it is not a tar.gz archive")
	}
	return &Archive{Files: map[string][]byte{name: content}, Single: name}, nil
}

// IsArchiveName reports whether a name has the extension of an archive.
func IsArchiveName(name string) bool {
	return strings.HasSuffix(name, ".tar.gz") || strings.HasSuffix(name, ".tgz") || strings.HasSuffix(name, ".tar")
}

// IsPage reports HTML, which proxies and login pages send instead of the content.
func IsPage(content []byte) bool {
	start := bytes.ToLower(bytes.TrimSpace(content[:min(len(content), 512)]))
	return bytes.HasPrefix(start, []byte("<!doctype html")) || bytes.HasPrefix(start, []byte("<html"))
}

type unpacking struct {
	limits  Limits
	most    int64 // bytes of all files together
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
		if errors.Is(err, errTooMuch) {
			return errTooMuch
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
	if u.out.Files[name] != nil || u.out.Links[name] != "" {
		return bad("the archive holds %s twice", name)
	}
	switch header.Typeflag {
	case tar.TypeReg:
		u.out.Files[name], err = u.read(name, header.Size, r)
		return err
	case tar.TypeSymlink:
		if path.IsAbs(header.Linkname) || strings.ContainsFunc(header.Linkname, unprintable) {
			return bad("the archive's link %s leads out of the archive, to %q", name, header.Linkname)
		}
		u.out.Links[name] = path.Join(path.Dir(name), header.Linkname)
		return nil
	default:
		return bad("the archive's entry %s is neither a file, a folder nor a link", name)
	}
}

func (u *unpacking) read(name string, size int64, r io.Reader) ([]byte, error) {
	switch u.total += size; {
	case size > u.limits.File || u.total > u.limits.Total:
		return nil, bad("the archive is too large to be unpacked, at %s", name)
	case u.total > u.most: // a sparse file takes no space in the archive
		return nil, errTooMuch
	}
	content := bytes.NewBuffer([]byte{}) // not allocated by size: a header may declare more than follows
	_, err := io.Copy(content, io.LimitReader(r, size))
	if errors.Is(err, errTooMuch) {
		return nil, errTooMuch
	}
	if err != nil {
		return nil, bad("the archive is damaged at %s: %v", name, err)
	}
	return content.Bytes(), nil
}
