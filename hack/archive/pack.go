package main

import (
	"archive/tar"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
)

type archive struct {
	Formats      []string
	NameTemplate string `json:"name_template"`
	Files        []struct {
		Src, Dst    string
		StripParent bool `json:"strip_parent"`
	}
}

// pack writes the archive with the binary and the other files into the folder and returns its path.
func (a archive) pack(v values, binary, folder string) (file string, err error) {
	if !slices.Equal(a.Formats, []string{"tar.gz"}) {
		return "", fmt.Errorf("this packs tar.gz only, not %v", a.Formats)
	}
	name, err := v.expand(a.NameTemplate)
	if err != nil {
		return "", err
	}
	contents, err := a.contents()
	if err != nil {
		return "", err
	}
	contents[filepath.Base(binary)] = binary
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	file = filepath.Join(folder, name+".tar.gz")
	out, err := os.Create(file)
	if err != nil {
		return "", err
	}
	defer out.Close()
	if err := writeTar(out, contents); err != nil {
		return "", fmt.Errorf("writing %s: %w", file, err)
	}
	return file, out.Close()
}

// contents maps the names in the archive to the files of the repository. A pattern without files is an error, as it is for
// goreleaser.
func (a archive) contents() (map[string]string, error) {
	contents := map[string]string{}
	for _, f := range a.Files {
		found, err := filepath.Glob(f.Src)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("no file matches %s", f.Src)
		}
		for _, file := range found {
			name := filepath.ToSlash(file)
			if f.StripParent {
				name = path.Base(name)
			}
			contents[path.Join(f.Dst, name)] = file
		}
	}
	return contents, nil
}

func writeTar(w io.Writer, contents map[string]string) error {
	zip := gzip.NewWriter(w)
	out := tar.NewWriter(zip)
	for _, name := range slices.Sorted(maps.Keys(contents)) {
		if err := add(out, name, contents[name]); err != nil {
			return err
		}
	}
	if err := out.Close(); err != nil {
		return err
	}
	return zip.Close()
}

func add(out *tar.Writer, name, file string) error {
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	header, err := tar.FileInfoHeader(info, "")
	if err != nil {
		return err
	}
	header.Name = name
	if err := out.WriteHeader(header); err != nil {
		return err
	}
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	_, err = io.Copy(out, in)
	return err
}
