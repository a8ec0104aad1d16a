// Command krewmanifest fills in krew/kubeflow.yaml as krew-release-bot does, with archives that are here instead of released:
//
//	krewmanifest TAG FOLDER
//
// FOLDER holds the archives; the manifest goes to standard output.
package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"text/template"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: krewmanifest TAG FOLDER")
		os.Exit(2)
	}
	if err := write(os.Stdout, "krew/kubeflow.yaml", os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func write(w io.Writer, file, tag, folder string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	manifest, err := template.New(file).Funcs(template.FuncMap{
		"addURIAndSha": func(uri, tag string) (string, error) {
			uri = strings.ReplaceAll(uri, "{{ .TagName }}", tag) // the bot takes the tag inside the URL as well
			sum, err := sumOf(filepath.Join(folder, path.Base(uri)))
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
