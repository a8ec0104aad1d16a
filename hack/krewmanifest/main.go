// Command krewmanifest fills in krew/kubeflow.yaml with the checksums of archives:
//
//	krewmanifest [-partial] TAG FOLDER
//
// FOLDER holds the archives; the manifest goes to standard output. With -partial, an archive that FOLDER lacks gets a dummy
// checksum, so that one platform can be tried alone.
package main

import (
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"text/template"
)

func main() {
	partial := flag.Bool("partial", false, "accept a folder that lacks archives")
	flag.Usage = func() { fmt.Fprintln(os.Stderr, "usage: krewmanifest [-partial] TAG FOLDER") }
	flag.Parse()
	if flag.NArg() != 2 {
		flag.Usage()
		os.Exit(2)
	}
	if err := write(os.Stdout, "krew/kubeflow.yaml", flag.Arg(0), flag.Arg(1), *partial); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func write(w io.Writer, file, tag, folder string, partial bool) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	manifest, err := template.New(file).Funcs(template.FuncMap{
		"addURIAndSha": func(uri, tag string) (string, error) {
			uri = strings.ReplaceAll(uri, "{{ .TagName }}", tag) // the bot also expands the tag inside the URL
			sum, err := sumOf(filepath.Join(folder, path.Base(uri)))
			if partial && errors.Is(err, fs.ErrNotExist) {
				sum, err = strings.Repeat("f", 2*sha256.Size), nil // not zeros, which YAML reads as a number
			}
			return fmt.Sprintf("uri: %s\n    sha256: %s", uri, sum), err
		},
	}).Parse(string(text))
	if err != nil {
		return err
	}
	return manifest.Execute(w, struct{ TagName string }{tag})
}

func sumOf(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	return fmt.Sprintf("%x", sum.Sum(nil)), err
}
